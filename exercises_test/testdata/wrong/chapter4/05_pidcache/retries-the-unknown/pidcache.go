// Package pidcache is exercise 4.5: a cache of a moving thing.
package pidcache

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// Router finds actors and delivers to them. Its methods may be called
// concurrently.
type Router interface {
	// Locate returns the PID of id's actor, which may take long.
	Locate(ctx context.Context, id cluster.Identity) (*actor.PID, error)
	// Deliver returns the reply to message. Its error is an
	// actor.ErrNotDelivered if the message was definitely not executed, an
	// actor.ErrUnknownOutcome if it may have been, or else what the actor
	// replied.
	Deliver(ctx context.Context, pid *actor.PID, message any) (any, error)
}

// Cache remembers where identities live. It may be wrong: they move, and it is
// not told. Its methods may be called concurrently.
type Cache struct {
	mu   sync.Mutex
	pids map[cluster.Identity]*actor.PID // guarded by mu
}

// New returns a cache that knows nothing.
func New() *Cache {
	return &Cache{pids: make(map[cluster.Identity]*actor.PID)}
}

// Get returns the PID that is known of id; false if there is none.
func (c *Cache) Get(id cluster.Identity) (*actor.PID, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	pid, ok := c.pids[id]
	return pid, ok
}

// Put remembers that id lives at pid, and forgets where it lived before.
func (c *Cache) Put(id cluster.Identity, pid *actor.PID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pids[id] = pid
}

// RemoveIf forgets that id lives at pid. If it is known to live elsewhere by now,
// that stays.
func (c *Cache) RemoveIf(id cluster.Identity, pid *actor.PID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pids[id].Equal(pid) {
		delete(c.pids, id)
	}
}

// RemoveMember forgets everything that lives at that address, and nothing else.
func (c *Cache) RemoveMember(address string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.pids, func(_ cluster.Identity, pid *actor.PID) bool { return pid.Address == address })
}

// Request delivers message to id, wherever c or else r finds it, and returns the
// reply. A PID that did not lead to an answer is forgotten.
//
// What was definitely not executed is tried again until ctx ends: the error then
// is that of ctx and that of the last try. The pauses between tries begin with
// some milliseconds, double up to a quarter of a second, differ from one caller
// to the other, and are longer by what an *actor.RejectedError asks for. All
// other errors are returned at once: what may have been executed is the
// caller's to decide about.
func Request(ctx context.Context, c *Cache, r Router, id cluster.Identity, message any) (any, error) {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		reply, err := try(ctx, c, r, id, message)
		if !errors.Is(err, actor.ErrNotDelivered) && !errors.Is(err, actor.ErrUnknownOutcome) {
			return reply, err
		}
		wait := pause/2 + rand.N(pause/2) // who failed together comes back apart
		if busy, ok := errors.AsType[*actor.RejectedError](err); ok {
			wait += busy.RetryAfter
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, fmt.Errorf("pidcache: no answer from %s: %w: %w", id, ctx.Err(), err)
		}
	}
}

const (
	firstPause   = 5 * time.Millisecond
	longestPause = 250 * time.Millisecond
)

// try delivers once. Only the actor's own answer proves that the PID is good.
func try(ctx context.Context, c *Cache, r Router, id cluster.Identity, message any) (any, error) {
	pid, known := c.Get(id)
	if !known {
		var err error
		if pid, err = r.Locate(ctx, id); err != nil {
			return nil, err
		}
		c.Put(id, pid)
	}
	reply, err := r.Deliver(ctx, pid, message)
	if errors.Is(err, actor.ErrNotDelivered) || errors.Is(err, actor.ErrUnknownOutcome) {
		c.RemoveIf(id, pid)
	}
	return reply, err
}

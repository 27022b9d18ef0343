// Package background runs goroutines that have an owner, who ends them and waits
// for that.
package background

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// Gate counts work under way, and lets its owner wait for the end of it. Make it
// with NewGate. Its methods may be called concurrently.
type Gate struct {
	mu     sync.Mutex
	inside map[string]int // by what it does
	closed bool
	empty  chan struct{} // closed when closed and nobody is inside
}

// NewGate returns a gate that is open.
func NewGate() *Gate {
	return &Gate{inside: make(map[string]int), empty: make(chan struct{})}
}

// Enter begins work, which Leave ends; false if the gate is closed.
func (g *Gate) Enter(what string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.inside[what]++
	return true
}

// Leave ends what Enter(what) began.
func (g *Gate) Leave(what string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inside[what]--; g.inside[what] == 0 {
		delete(g.inside, what)
	}
	if g.closed && len(g.inside) == 0 {
		close(g.empty)
	}
}

// Finish lets nobody enter and waits for those inside until ctx ends.
func (g *Gate) Finish(ctx context.Context) error {
	g.mu.Lock()
	if !g.closed && len(g.inside) == 0 {
		close(g.empty)
	}
	g.closed = true
	g.mu.Unlock()
	select {
	case <-g.empty:
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.inside) == 0 {
		return nil
	}
	return fmt.Errorf("%v still at work: %w", slices.Sorted(maps.Keys(g.inside)), context.Cause(ctx))
}

// Tasks are the goroutines of one owner, who ends them with Stop.
type Tasks struct {
	*Gate
	ctx    context.Context //nolint:containedctx // what all tasks run under; no call's
	cancel context.CancelFunc
}

// NewTasks returns tasks that keep the values of ctx and outlive it.
func NewTasks(ctx context.Context) *Tasks {
	t := &Tasks{Gate: NewGate()}
	t.ctx, t.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return t
}

// Go runs f until it returns; the context it gets ends with Stop and with
// cancel. Once there is nothing more to begin it returns nil, and f does not run.
func (t *Tasks) Go(what string, f func(ctx context.Context)) (cancel context.CancelFunc) {
	if !t.Enter(what) {
		return nil
	}
	ctx, cancel := context.WithCancel(t.ctx)
	go func() {
		defer t.Leave(what)
		defer cancel()
		stretch(0)
		f(ctx)
	}()
	return cancel
}

// stretch grows the stack of a goroutine that has just begun to 8 KB at once. A
// look-up and the answer to one need more than the 2 KB to begin with, and to copy
// a stack with twenty frames on it, twice, is a tenth of what an activation costs.
//
//go:noinline
func stretch(i int) byte {
	var room [4 << 10]byte
	return room[i]
}

// Stop ends all tasks and waits for them until ctx ends.
func (t *Tasks) Stop(ctx context.Context) error {
	t.cancel()
	return t.Finish(ctx)
}

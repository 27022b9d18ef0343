package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
)

// ActivationError says that the actor of an identity could not be started: its
// producer panicked, or its handler did in *Started. Nothing was executed; it is
// not retried, because it would most likely fail again. It matches what the
// reason matches, except ErrUnknownOutcome.
type ActivationError struct {
	ID  Identity
	Err error // *actor.PanicError if it happened on this node
}

func (e *ActivationError) Error() string {
	return fmt.Sprintf("cluster: activation of %s failed: %v", e.ID.text(), e.Err)
}

// Is makes an ActivationError an actor.ErrNotDelivered.
func (e *ActivationError) Is(target error) bool {
	return target == actor.ErrNotDelivered || target != actor.ErrUnknownOutcome && errors.Is(e.Err, target)
}

// As finds target in the reason.
func (e *ActivationError) As(target any) bool { return errors.As(e.Err, target) }

// activations are the virtual actors that live on this node, at most one of an
// identity: another begins when the one before has ended.
type activations struct {
	node  *node
	kinds map[string]*hosted // not modified
	began time.Time

	mu     sync.Mutex
	active map[Identity]*activation
	closed bool
	none   chan struct{} // closed when closed and nothing is active
}

// hosted is a kind and what this node has of it.
type hosted struct {
	Kind
	props  *actor.Props
	active int     // guarded by activations.mu, as is used
	used   lruHeap // those that may be evicted, if the kind evicts
}

// activation is one actor of an identity, from before its start to its end.
type activation struct {
	node *node
	kind *hosted
	id   Identity

	started chan struct{} // closed when *Started was handled, or never will be
	pid     *actor.PID    // set before started is closed, as is err; guarded by activations.mu
	err     error
	ended   chan struct{}
	used    atomic.Int64 // when its last message came, since activations.began
	served  bool         // it had a message; of its own turn

	ending bool  // nothing more should go to it; guarded by activations.mu
	seen   int64 // used as the heap knows it, likewise
	index  int   // in the heap, -1: not in it
}

func newActivations(n *node, kinds []Kind) *activations {
	t := &activations{node: n, kinds: make(map[string]*hosted), began: time.Now(),
		active: make(map[Identity]*activation), none: make(chan struct{})}
	for _, k := range kinds {
		t.kinds[k.Name] = &hosted{Kind: k, props: k.Props.With(actor.WithReceiverMiddleware(observe))}
	}
	return t
}

// activate returns the activation of id once it has started, after the end of
// one that is ending.
func (t *activations) activate(ctx context.Context, id Identity) (*actor.PID, error) {
	for {
		a, ending, err := t.claim(id)
		if err != nil {
			return nil, err
		}
		ready := a.started
		if ending {
			ready = a.ended
		}
		select {
		case <-ready:
		case <-ctx.Done():
			return nil, fmt.Errorf("cluster: activation of %s on %s has not finished: %w (%w)",
				id.text(), t.node.Self().Address, ctx.Err(), actor.ErrNotDelivered)
		}
		if !ending {
			return a.pid, a.err
		}
	}
}

// claim finds the activation of id or begins one.
func (t *activations) claim(id Identity) (a *activation, ending bool, err error) {
	t.mu.Lock()
	if a = t.active[id]; a != nil {
		defer t.mu.Unlock()
		return a, a.ending, nil
	}
	kind, why := t.kinds[id.Kind], "does not host that kind"
	if t.closed {
		kind, why = nil, "is leaving"
	}
	if kind == nil {
		defer t.mu.Unlock()
		return nil, false, fmt.Errorf("cluster: %s is not activated on %s, which %s: %w",
			id.text(), t.node.Self().Address, why, actor.ErrNotDelivered)
	}
	a = &activation{node: t.node, kind: kind, id: id, started: make(chan struct{}), ended: make(chan struct{}), index: -1}
	t.active[id] = a
	kind.active++
	t.mu.Unlock()
	t.node.stats.activations.Add(1)
	props := kind.props.With(actor.WithValue(activationKey{}, a), actor.WithAfterStop(a.afterStop))
	if _, err := t.node.system.SpawnNamed(props, id.grain()); err != nil {
		if a.err = err; !errors.Is(err, actor.ErrStopped) { // which another member may do better
			a.err = &ActivationError{ID: id, Err: err}
		}
		t.remove(a)
	}
	return a, false, nil
}

// observe is the middleware that follows an activation's life.
func observe(next actor.ReceiveFunc) actor.ReceiveFunc {
	var a *activation
	return func(ctx actor.Context) {
		if a == nil {
			a = ctx.Value(activationKey{}).(*activation)
		}
		switch ctx.Message().(type) {
		case *actor.Started:
			if a.pid == nil {
				a.start(ctx, next)
				return
			} // else after a restart
		case *actor.Stopping:
			a.node.grains.ending(a)
		case *actor.Stopped, *actor.Restarting, *actor.Terminated, *actor.ReceiveTimeout:
		default:
			a.served = true
			if a.kind.evicts() {
				a.used.Store(int64(time.Since(a.node.grains.began)))
			}
		}
		next(ctx)
	}
}

// start has the actor handle *Started; a panic in that ends it, for a restart
// would fail as well.
func (a *activation) start(ctx actor.Context, next actor.ReceiveFunc) {
	done := false
	defer func() {
		if done {
			return
		}
		a.err = &ActivationError{ID: a.id, Err: &actor.PanicError{Value: recover(), Stack: string(debug.Stack())}}
		ctx.Stop(ctx.Self())
	}()
	next(ctx)
	done = true
	for _, e := range a.node.parking.claim(a.id) {
		_ = ctx.System().SendEnvelope(ctx.Self(), e) // a full mailbox refuses it
	}
	evict := a.node.grains.joined(a, ctx.Self())
	close(a.started)
	a.node.grains.poison(evict)
}

// afterStop is called when the actor has ended. What waited behind the stop
// goes to the next activation, ahead of all that came since.
func (a *activation) afterStop(_ *actor.PID, reason error, waiting []actor.Envelope) {
	if a.pid == nil && a.err == nil {
		a.err = &ActivationError{ID: a.id, Err: cmp.Or(reason, errors.New("it stopped before it had started"))}
	}
	n := a.node
	if a.err != nil {
		n.refuse(a.id, waiting, a.err)
	} else {
		n.grains.ending(a) // an interceptor may have kept *Stopping for itself
		n.cache.remove(a.id, a.pid)
		n.parking.requeue(a.id, waiting, a.served)
	}
	n.grains.remove(a)
}

// joined counts a among the living, and returns who has to go for that.
func (t *activations) joined(a *activation, pid *actor.PID) (evict []*activation) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a.pid = pid
	if a.ending { // was told to end before it could
		return []*activation{a}
	}
	a.used.Store(int64(time.Since(t.began)))
	return a.kind.push(a)
}

// ending takes note that a stops by itself.
func (t *activations) ending(a *activation) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a.ending = true
	a.kind.drop(a)
}

// remove ends the wait for a, whether for its start or its end.
func (t *activations) remove(a *activation) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a.kind.drop(a)
	a.kind.active--
	delete(t.active, a.id)
	if a.err != nil {
		close(a.started)
	}
	close(a.ended)
	if t.closed && len(t.active) == 0 {
		close(t.none)
	}
}

// retain evicts whatever keep does not want, and returns how many that are.
func (t *activations) retain(keep func(Identity) bool) int {
	t.mu.Lock()
	all := make([]*activation, 0, len(t.active))
	for _, a := range t.active {
		all = append(all, a)
	}
	t.mu.Unlock()
	evict := all[:0]
	for _, a := range all {
		if !keep(a.id) {
			evict = append(evict, a)
		}
	}
	t.evict(evict)
	return len(evict)
}

// evict has those activations finish what is queued and end.
func (t *activations) evict(those []*activation) {
	t.mu.Lock()
	started := those[:0]
	for _, a := range those {
		if a.pid != nil && !a.ending {
			started = append(started, a)
		}
		a.ending = true
		a.kind.drop(a)
	}
	t.mu.Unlock()
	t.poison(started)
}

func (t *activations) poison(those []*activation) {
	for _, a := range those {
		t.node.system.Poison(a.pid)
	}
}

// drain activates nothing more, evicts everything and waits for the end of it;
// when ctx ends, actors are stopped with messages still queued.
func (t *activations) drain(ctx context.Context) error {
	t.mu.Lock()
	if !t.closed && len(t.active) == 0 {
		close(t.none)
	}
	t.closed = true
	t.mu.Unlock()
	t.retain(func(Identity) bool { return false })
	select {
	case <-t.none:
		return nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.active) == 0 {
		return nil
	}
	return fmt.Errorf("%d activations have not finished what was queued: %w", len(t.active), context.Cause(ctx))
}

// counts returns the number of activations per kind.
func (t *activations) counts() map[string]uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	counts := make(map[string]uint64, len(t.kinds))
	for name, k := range t.kinds {
		counts[name] = uint64(k.active)
	}
	return counts
}

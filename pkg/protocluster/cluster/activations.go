package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/handover"
	"github.com/protocluster/workshop/pkg/protocluster/internal/latch"
	"github.com/protocluster/workshop/pkg/protocluster/internal/lru"
	"github.com/protocluster/workshop/pkg/protocluster/internal/patience"
	"github.com/protocluster/workshop/pkg/protocluster/internal/seat"
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

	patience *patience.Patience[*activation] // of those with hails
}

// hosted is a kind and what this node has of it.
type hosted struct {
	Kind
	strict bool                  // one activation at most
	active int                   // guarded by activations.mu, as is used
	used   lru.Heap[*activation] // those that may be evicted, if the kind evicts
}

// activation is one actor of an identity, from before its start to its end.
type activation struct {
	node *node
	kind *hosted
	term *term // in which it may act, if the kind is strict

	lru.Item[*activation] // its last use, since activations.began

	id      Identity
	props   actor.Props // of its actor, in one piece with it for the garbage collector's sake
	started latch.Latch // open when *Started was handled, or never will be
	pid     *actor.PID  // set before started is open, as is err; guarded by activations.mu
	err     error
	ended   latch.Latch

	ending bool             // nothing more should go to it; guarded by activations.mu, as are all below
	how    end              // it does
	hails  []actor.Envelope // wait until it has started
	slow   bool             // to start: no more hails wait
}

// end is how an activation ends.
type end uint8

const (
	drained   end = iota // it handles what is queued before
	displaced            // what is queued goes to the next activation
	dropped              // likewise, and it saves nothing: it may not act any more
)

func newActivations(n *node, kinds []Kind) *activations {
	t := &activations{node: n, kinds: make(map[string]*hosted), began: time.Now(),
		active: make(map[Identity]*activation), none: make(chan struct{})}
	for _, k := range kinds {
		k.Props = k.Props.With(actor.WithLifecycle(live), actor.WithAfterStop(t.afterStop)) // here once, for all of the kind
		t.kinds[k.Name] = &hosted{Kind: k}
	}
	t.patience = patience.New(n.tasks, t.tire)
	return t
}

// activate returns the activation of id once it has started, after the end of
// one that is ending, and of those that others had.
func (t *activations) activate(ctx context.Context, id Identity) (*actor.PID, error) {
	var wait *handover.Wait[Identity]
	defer func() { wait.Close() }()
	for {
		a, ending, began, err := t.claim(id, wait.Said())
		if fenced, ok := errors.AsType[*FencedError](err); ok && len(fenced.Owing) > 0 {
			if wait, err = t.node.tenure.await(ctx, wait, fenced); err == nil {
				continue
			}
		}
		if err != nil {
			return nil, err
		}
		if began {
			t.spawn(a)
		}
		ready := &a.started
		if ending {
			ready = &a.ended
		}
		if err := ready.Wait(ctx); err != nil {
			return nil, fmt.Errorf("cluster: activation of %s on %s has not finished: %w (%w)",
				id.text(), t.node.Self().Address, err, actor.ErrNotDelivered)
		}
		if !ending {
			return a.pid, a.err
		}
	}
}

// claim finds the activation of id or begins one, which the caller is then to spawn.
// Answers are what was said by those who held a strict one before.
func (t *activations) claim(id Identity, answers []seat.Answer) (a *activation, ending, began bool, err error) {
	a, ending, kind, err := t.find(id)
	if a != nil || err != nil {
		return a, ending, false, err
	}
	if kind.strict {
		err = t.node.tenure.claim(id, answers, func(term *term, token actor.Token) {
			a, ending, began = t.begin(id, kind, term, actor.WithGuard(term), actor.WithFence(token))
		})
	} else {
		a, ending, began = t.begin(id, kind, nil)
	}
	if err == nil && a == nil { // closed meanwhile
		return t.claim(id, answers)
	}
	return a, ending, began, err
}

// find returns the activation of id or, if there is none, its kind.
func (t *activations) find(id Identity) (a *activation, ending bool, kind *hosted, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a = t.active[id]; a != nil {
		return a, a.ending, nil, nil
	}
	kind, why := t.kinds[id.Kind], "does not host that kind"
	if t.closed {
		kind, why = nil, "is leaving"
	}
	if kind == nil {
		return nil, false, nil, fmt.Errorf("cluster: %s is not activated on %s, which %s: %w",
			id.text(), t.node.Self().Address, why, actor.ErrNotDelivered)
	}
	return nil, false, kind, nil
}

// begin registers an activation of id unless there is one, or will be none.
func (t *activations) begin(id Identity, kind *hosted, term *term, opts ...actor.PropsOption) (a *activation, ending, began bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a = t.active[id]; a != nil || t.closed {
		return a, a != nil && a.ending, false
	}
	a = &activation{node: t.node, kind: kind, term: term, id: id}
	opts = append(opts, actor.WithValue(activationKey{}, a))
	if kind.evicts() {
		opts = append(opts, actor.WithReceiverMiddleware(a.stamp))
	}
	kind.Props.Into(&a.props, opts...)
	t.active[id] = a
	kind.active++
	return a, false, true
}

// spawn starts the actor of an activation that has just begun.
func (t *activations) spawn(a *activation) {
	t.node.stats.activations.Add(1)
	if _, err := t.node.system.SpawnNamed(&a.props, a.id.grain()); err != nil {
		if a.err = err; !errors.Is(err, actor.ErrStopped) { // which another member may do better
			a.err = &ActivationError{ID: a.id, Err: err}
		}
		t.remove(a)
	}
}

// live follows an activation's life.
func live(ctx actor.Context, next actor.ReceiveFunc) {
	a := activationOf(ctx)
	if _, ok := ctx.Message().(*actor.Started); ok && a.pid == nil { // not after a restart
		a.start(ctx, next)
		return
	}
	if _, ok := ctx.Message().(*actor.Stopping); ok {
		a.node.grains.ending(a)
	}
	next(ctx)
}

// stamp is the middleware that notes when the activation is used.
func (a *activation) stamp(next actor.ReceiveFunc) actor.ReceiveFunc {
	return func(ctx actor.Context) {
		switch ctx.Message().(type) {
		case *actor.Started, *actor.Stopping, *actor.Stopped, *actor.Restarting, *actor.Terminated, *actor.ReceiveTimeout:
		default:
			a.Use(time.Since(a.node.grains.began))
		}
		next(ctx)
	}
}

// start has the actor handle *Started; a panic in that ends it, for a restart
// would fail as well. So does a lease that ended before.
func (a *activation) start(ctx actor.Context, next actor.ReceiveFunc) {
	if a.kind.strict && !a.term.serves() {
		a.err = &FencedError{ID: a.id, Member: a.node.Self(), Epoch: a.node.View().Epoch}
		ctx.System().Kill(ctx.Self())
		return
	}
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
	for _, e := range a.node.parking.lots.Take(a.id) {
		_ = ctx.System().SendEnvelope(ctx.Self(), e) // a full mailbox refuses it
	}
	hails, evict, how := a.node.grains.joined(a, ctx.Self())
	for _, e := range hails {
		_ = ctx.System().SendEnvelope(ctx.Self(), e)
	}
	a.started.Open()
	for _, a := range evict {
		a.node.grains.finish(a, how)
	}
}

// afterStop is called when the actor has ended. What waited behind the stop
// goes to the next activation, ahead of all that came since.
func (t *activations) afterStop(self *actor.PID, reason error, progress bool, waiting []actor.Envelope) {
	id, _ := parseGrain(self.ID)
	a, _, _, _ := t.find(id) // it is there until the end of this
	if a.pid == nil && a.err == nil {
		a.err = &ActivationError{ID: id, Err: cmp.Or(reason, errors.New("it stopped before it had started"))}
	}
	if a.err != nil {
		t.node.refuse(id, waiting, a.err)
	} else {
		t.ending(a) // after a Kill there was no *Stopping
		t.node.cache.Remove(id, a.pid)
		t.node.parking.requeue(id, waiting, progress)
	}
	t.remove(a)
}

// joined counts a among the living, and returns what has waited for that, and who
// has to go for it.
func (t *activations) joined(a *activation, pid *actor.PID) (hails []actor.Envelope, evict []*activation, how end) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a.pid, hails, a.hails = pid, a.hails, nil
	if a.ending { // was told to end before it could
		return hails, []*activation{a}, a.how
	}
	a.Use(time.Since(t.began))
	return hails, a.kind.push(a), drained
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
	hails := a.hails
	a.hails, a.ending = nil, true
	a.kind.drop(a)
	a.kind.active--
	delete(t.active, a.id)
	if a.err != nil {
		a.started.Open()
	}
	a.ended.Open()
	if t.closed && len(t.active) == 0 {
		close(t.none)
	}
	t.mu.Unlock()
	t.node.turnAway(a.id, hails, a.err)
}

// retain evicts what keep does not want of the kinds that are not strict, and
// returns how many that are.
func (t *activations) retain(keep func(Identity) bool) int {
	those := t.those(func(a *activation) bool { return !a.kind.strict && !keep(a.id) })
	t.end(those, drained)
	return len(those)
}

// without ends those of the strict kinds for which gone holds, and waits until
// they have ended; false if ctx ends first.
func (t *activations) without(ctx context.Context, gone func(Identity) bool) bool {
	those := t.those(func(a *activation) bool { return a.kind.strict && gone(a.id) })
	t.end(those, displaced)
	for _, a := range those {
		if a.ended.Wait(ctx) != nil {
			return false
		}
	}
	return true
}

// strict returns the activations of the strict kinds.
func (t *activations) strict() []*activation {
	return t.those(func(a *activation) bool { return a.kind.strict })
}

// those returns the activations for which is holds; it is asked without the lock.
func (t *activations) those(is func(a *activation) bool) []*activation {
	t.mu.Lock()
	all := make([]*activation, 0, len(t.active))
	for _, a := range t.active {
		all = append(all, a)
	}
	t.mu.Unlock()
	return slices.DeleteFunc(all, func(a *activation) bool { return !is(a) })
}

// end ends those activations; who has not started yet ends then. One that is
// ending already may have to end sooner.
func (t *activations) end(those []*activation, how end) {
	if how > drained { // the next activations are elsewhere: nobody is to wait for a start in vain
		t.tire(those)
	}
	t.mu.Lock()
	var started []*activation
	for _, a := range those {
		if a.pid != nil && (!a.ending || how > a.how) {
			started = append(started, a)
		}
		a.ending, a.how = true, max(a.how, how)
		a.kind.drop(a)
	}
	t.mu.Unlock()
	for _, a := range started {
		t.finish(a, how)
	}
}

// finish has the actor of an activation that is ending end.
func (t *activations) finish(a *activation, how end) {
	switch how {
	case drained:
		t.node.system.Poison(a.pid)
	case displaced:
		t.node.system.Stop(a.pid)
	case dropped:
		t.node.system.Kill(a.pid)
	}
}

// drain activates nothing more, evicts everything and waits for the end of it;
// when ctx ends, actors are stopped with messages still queued.
func (t *activations) drain(ctx context.Context) error {
	t.close()
	t.end(t.those(func(*activation) bool { return true }), drained)
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

// close has nothing more be activated.
func (t *activations) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed && len(t.active) == 0 {
		close(t.none)
	}
	t.closed = true
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

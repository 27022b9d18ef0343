package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/handover"
	"github.com/protocluster/workshop/pkg/protocluster/internal/memo"
	"github.com/protocluster/workshop/pkg/protocluster/internal/mpsc"
	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
	"github.com/protocluster/workshop/pkg/protocluster/internal/seat"
)

// FencedError says that a member may not act for an identity at the moment: it
// has no lease, or has yet to hear that all who owned the identity before have
// let go. Nothing was executed, and it is retried.
type FencedError struct {
	ID     Identity
	Member Member
	Epoch  uint64   // of the view that the member goes by; 0 before it has one
	Owing  []string // the IDs of the members that have to let go; none: there is no lease

	claim seat.Claimed
}

func (e *FencedError) Error() string {
	if len(e.Owing) > 0 {
		return fmt.Sprintf("cluster: %s waits on %s, in epoch %d, for %v to let go of it", e.ID.text(), e.Member.Address, e.Epoch, e.Owing)
	}
	return fmt.Sprintf("cluster: %s waits on %s, which has no lease in epoch %d", e.ID.text(), e.Member.Address, e.Epoch)
}

// Is makes a FencedError an actor.ErrNotDelivered.
func (e *FencedError) Is(target error) bool { return target == actor.ErrNotDelivered }

// tenure is a node's place in sealed views, which package seat takes and keeps.
// What it means for the activations is here.
type tenure struct {
	node    *node
	placer  Placer   // nil: no kind is strict
	strict  []string // the kinds that are
	service *seat.Service
	seat    atomic.Pointer[seat.Seat] // nil before Keep
	term    atomic.Pointer[term]      // the present one, likewise
	tokens  atomic.Uint64
	desk    *handover.Desk[Identity]
	trouble atomic.Pointer[error] // with the store, at present

	views *memo.Memo[*sealedview.View, sealedview.Stamp, *View]
	held  mpsc.List[*actor.PID] // actors whose next message waits for the lease
}

func newTenure(n *node) *tenure {
	t := &tenure{node: n, service: seat.NewService(), views: memo.New(mostViews, stampOf, viewOf)}
	t.desk = handover.New(n.tasks, t.askFor)
	return t
}

// Keep has the node go by the views of a store until ctx ends; it is the Run of
// a ViewStore, and closes the store. A member then leaves the view, and returns
// within seconds. Its errors are those that waiting does not mend.
func Keep(ctx context.Context, self Node, store Store) error {
	n, ok := self.(*node)
	if !ok {
		return errors.New("cluster: Keep takes the Node that Run was given")
	}
	keep := n.tenure.keep
	if n.client {
		keep = n.tenure.watch
	}
	err := keep(ctx, store)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second) // what is left there runs out by itself
	defer cancel()
	return errors.Join(err, store.Close(ctx))
}

// keep takes a seat.
func (t *tenure) keep(ctx context.Context, store Store) error {
	n := t.node
	self := n.Self()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	strict := slices.Sorted(slices.Values(t.strict))
	s, err := seat.New(seat.Config{
		Name:  n.config.Name,
		Self:  sealedview.Member{ID: self.ID, Address: self.Address, Kinds: self.Kinds, Strict: strict, Weight: self.Weight},
		Store: t.noting(store, fail), Conflict: ErrConflict,
		Clash: func(kind string, with *sealedview.Member) {
			fail(&MixedKindError{kind, slices.Contains(strict, kind), Member{with.ID, with.Address, with.Kinds, Up, with.Weight}})
		},
		Host:    &seat.Logged{Host: tenant{t, store}, Logger: n.Logger(), Strict: n.Strict()},
		Service: t.service, Dial: n.remote.Dial, Verify: n.remote.Verify, Logger: n.Logger(),
	})
	if err != nil {
		return err
	}
	t.term.Store(&term{tenure: t, seat: s}) // before the seat, which says that there is one
	t.seat.Store(s)
	return refused(ctx, s.Run(ctx))
}

// refused is why the store did not permit the join, or members do not, or else err.
func refused(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if _, mixed := errors.AsType[*MixedKindError](cause); mixed || errors.Is(cause, ErrDenied) {
		return cause
	}
	return err
}

// watch has a client see the views.
func (t *tenure) watch(ctx context.Context, store Store) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	seat.Watch(ctx, t.noting(store, fail), t.node.Logger(), func(v *sealedview.View) {
		t.node.reported.Store(report{view: t.view(v)})
	})
	return refused(ctx, nil)
}

// vacate ends what is left of the strict kinds, for a moment at most: the seat
// then goes to others at once.
func (t *tenure) vacate(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	t.node.grains.close()
	t.node.grains.without(ctx, func(Identity) bool { return true })
}

// noting has what goes wrong with the store kept, and a join end that the store
// does not permit.
func (t *tenure) noting(store Store, fail context.CancelCauseFunc) seat.Store {
	return seat.Noting{Store: store, Note: func(err error) {
		switch {
		case err == nil:
			t.trouble.Store(nil)
		case !errors.Is(err, context.Canceled) && !errors.Is(err, ErrConflict):
			t.trouble.Store(&err)
		}
		if errors.Is(err, ErrDenied) && t.node.View().Epoch == 0 {
			fail(err)
		}
	}}
}

// mostViews are far more than are in use at a time.
const mostViews = 256

// view is a sealed view as this package has it; the same one for the same stamp.
func (t *tenure) view(v *sealedview.View) *View { return t.views.Get(v) }

func stampOf(v *sealedview.View) sealedview.Stamp { return v.Stamp }

func viewOf(v *sealedview.View) *View {
	view := &View{Epoch: v.Epoch, stamp: v.Stamp}
	for _, m := range v.Members {
		status := Up
		if m.State == sealedview.Leaving {
			status = Leaving
		}
		view.Members = append(view.Members, Member{ID: m.ID, Address: m.Address, Kinds: m.Kinds, Status: status, Weight: m.Weight})
	}
	slices.SortFunc(view.Members, byID)
	return view
}

// owner tells package sealedview whom views assign id to.
func (t *tenure) owner(id Identity) func(*sealedview.View) string {
	return func(v *sealedview.View) string {
		m, _ := t.placer.Owner(t.view(v), id)
		return m.ID
	}
}

// gone reports whether view gives id to another member, or to none.
func (t *tenure) gone(view *View, id Identity) bool {
	owner, _ := t.placer.Owner(view, id)
	return owner.ID != t.node.Self().ID
}

// installed is the view that the seat goes by, or an empty one.
func (t *tenure) installed() *View {
	if s := t.seat.Load(); s != nil {
		if _, v := s.View(); v != nil {
			return t.view(v)
		}
	}
	return new(View)
}

// claim begins the activation of id by hold, or says why it may not begin now.
// No view is installed while hold runs, so it must not block.
func (t *tenure) claim(id Identity, answers []seat.Answer, hold func(term *term, token actor.Token)) error {
	s := t.seat.Load()
	if s == nil {
		return &FencedError{ID: id, Member: t.node.Self()}
	}
	c := s.Claim(t.owner(id), func(epoch uint64) {
		hold(t.term.Load(), actor.Token{Epoch: epoch, Counter: t.tokens.Add(1)})
	}, answers...)
	switch {
	case c.Held():
		return nil
	case c.Serves && !c.Mine:
		owner, _ := t.placer.Owner(t.node.View(), id)
		return &MovedError{ID: id, Owner: owner, Epoch: c.Epoch}
	}
	return &FencedError{ID: id, Member: t.node.Self(), Epoch: c.Epoch, Owing: c.Owing, claim: c}
}

// term is the time for which a node is one and the same member. It is the guard of
// all that this member has activated: one place in memory, which is at hand.
type term struct {
	tenure *tenure
	seat   *seat.Seat
	over   atomic.Bool // the member was evicted; set before the node is another
}

// serves reports whether activations of this term may act now.
func (t *term) serves() bool { return t.seat.Serves() && !t.over.Load() }

// Admit implements actor.Guard. After a no the actor is resumed as soon as there is
// a lease again.
func (t *term) Admit(self *actor.PID) bool {
	if t.serves() {
		return true
	}
	t.tenure.held.Push(self)
	if t.serves() { // again: Regained may have looked before
		t.tenure.node.system.Resume(self)
	}
	return false
}

// tenant is what the seat tells its node.
type tenant struct {
	*tenure

	store Store
}

// Seated implements seat.Host.
func (t tenant) Seated(self string, v *sealedview.View) {
	n, view := t.node, t.view(v)
	me, _ := view.Member(self)
	if now := n.Self(); now.ID != self {
		now.ID = self
		n.self.Store(now)
	}
	n.reported.Store(report{view: view})
	n.tasks.Go("show", func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, closeTimeout)
		defer cancel()
		if err := t.store.Show(ctx, me); err != nil && ctx.Err() == nil {
			n.Logger().Warn("cluster: people may not see this member in the store for now", "error", err)
		}
	})
}

// Unseated implements seat.Host: all that this member has activated is dropped.
func (t tenant) Unseated(_ string, v *sealedview.View) {
	t.term.Swap(&term{tenure: t.tenure, seat: t.seat.Load()}).over.Store(true)
	t.node.grains.end(t.node.grains.strict(), dropped)
	t.node.reported.Store(report{view: t.view(v)})
}

// Lapsed implements seat.Host: handlers are told to come to an end.
func (t tenant) Lapsed() {
	for _, a := range t.node.grains.strict() {
		t.node.system.Suspend(t.node.here(a.id))
	}
}

// Regained implements seat.Host: those go on who wait for the lease.
func (t tenant) Regained() {
	for _, pid := range t.held.Take() {
		t.node.system.Resume(pid)
	}
}

// settle gives strict kinds their rules, or says why this node cannot keep them.
func (n *node) settle() error {
	placer, _ := n.locator.(Placer)
	n.tenure.placer = placer
	_, stores := n.config.Provider.(ViewStore)
	var faults []error
	for name, k := range n.grains.kinds {
		switch {
		case placer == nil && k.Consistency == OneAtMost:
			faults = append(faults, fmt.Errorf(
				"cluster: kind %q is Strict, which %T cannot keep; use partition.New() as the lookup", name, n.config.Lookup))
		case placer != nil && k.Consistency != OneInTheEnd:
			k.strict = true
			n.tenure.strict = append(n.tenure.strict, name)
		}
	}
	if placer != nil && !stores {
		faults = append(faults, fmt.Errorf("cluster: %T keeps identities to one activation, which takes a provider with a view store,"+
			" such as consul.New() or test.NewTestProvider(agent); %T only observes the members; or use disthash.New()",
			n.config.Lookup, n.config.Provider))
	}
	return errors.Join(faults...)
}

// count adds what the seat has to tell.
func (t *tenure) count(to *Stats) {
	s := t.seat.Load()
	if s == nil {
		return
	}
	from := s.Stats()
	to.Lapses, to.Evictions, to.Violations = from.Lapses, from.Evictions, from.Violations
	to.StoreErrors, to.StoreWrites, to.StoreAge, to.StoreOut = from.StoreErrors, from.StoreWrites, from.StoreAge, from.StoreOut
	to.Lease = s.Lease()
}

// Strict implements Node.
func (n *node) Strict() bool { return n.tenure.placer != nil }

// Package failover is exercise 4.6: who may host what a vanished member hosted,
// and from when on.
package failover

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// Lease is the right to host what one view gives to its holder.
type Lease struct {
	Epoch uint64    // of that view
	Until time.Time // the first instant at which it is over
}

// Owner says to which of the members an identity belongs; an error if to none.
type Owner func(id cluster.Identity, members []cluster.Member) (cluster.Member, error)

// MayActivate reports whether the holder of a lease may act on it: start an
// activation, or let one handle a message. The epoch is that of the newest view
// that the holder has heard of; a lease for another view is none.
func MayActivate(now time.Time, lease Lease, epoch uint64) bool {
	return lease.Epoch == epoch && now.Before(lease.Until)
}

// Gate keeps one member from starting what may still be active elsewhere. Its
// methods may be called concurrently.
type Gate struct {
	owner Owner
	term  time.Duration

	mu    sync.Mutex    // guards what follows
	views []replaced    // those before the newest, as long as they matter, oldest first
	view  *cluster.View // the newest; nil before the first
}

// replaced is a view after which there was another.
type replaced struct {
	view   *cluster.View // nil: all that came before this member did
	closed time.Time     // from then on nobody has a lease for it
}

// New returns the gate of a member that knows no view yet. A lease lasts for
// term, counted from when it was asked for.
func New(owner Owner, term time.Duration) *Gate {
	return &Gate{owner: owner, term: term}
}

// Change takes a new view, and ignores one that is not newer than what the gate
// has. It returns those members that are gone: whatever is known about where
// something lives on them must be forgotten.
func (g *Gate) Change(now time.Time, view *cluster.View) (gone []cluster.Member) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.view != nil {
		if view.Epoch <= g.view.Epoch {
			return nil
		}
		for _, m := range g.view.Members {
			if m.Status != cluster.Down && !present(m, view) {
				gone = append(gone, m)
			}
		}
	}
	open := slices.DeleteFunc(slices.Clone(g.views), func(r replaced) bool { return !now.Before(r.closed) })
	g.views = append(open, replaced{view: g.view, closed: now.Add(g.term)})
	g.view = view
	return gone
}

// Admit returns nil if the member may start an activation of id now, which its
// view gives to it. Otherwise it returns an *actor.RejectedError, which is an
// actor.ErrNotDelivered and says when to try again: the member's lease is none,
// or somebody who owned id has vanished and may have one. Who was seen leaving
// before it was gone has stopped what it had, and nobody waits for it.
func (g *Gate) Admit(now time.Time, lease Lease, id cluster.Identity) error {
	g.mu.Lock()
	view, views := g.view, g.views
	g.mu.Unlock()
	if view == nil || !MayActivate(now, lease, view.Epoch) {
		reason := fmt.Errorf("failover: this member has no lease to activate %s: %w", id, actor.ErrNotDelivered)
		return &actor.RejectedError{Reason: reason, RetryAfter: g.term / 4} // by then it may have asked for one
	}
	var wait time.Duration
	for _, r := range views {
		if r.view == nil || g.vanished(id, r.view, view) {
			wait = max(wait, r.closed.Sub(now))
		}
	}
	if wait > 0 {
		reason := fmt.Errorf("failover: %s may be active on a member that has vanished: %w", id, actor.ErrNotDelivered)
		return &actor.RejectedError{Reason: reason, RetryAfter: wait}
	}
	return nil
}

// vanished reports whether the owner of id in a view before is not in the newest.
func (g *Gate) vanished(id cluster.Identity, before, newest *cluster.View) bool {
	owner, err := g.owner(id, before.Members)
	return err == nil && !present(owner, newest)
}

// present reports whether a view has m, and does not call it down.
func present(m cluster.Member, view *cluster.View) bool {
	latest, ok := view.Member(m.ID)
	return ok && latest.Status != cluster.Down
}

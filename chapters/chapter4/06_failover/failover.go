// Package failover is exercise 4.6: who may host what a vanished member hosted,
// and from when on.
package failover

import (
	"time"

	"github.com/protocluster/workshop/chapters/todo"
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
	return false
}

// Gate keeps one member from starting what may still be active elsewhere. Its
// methods may be called concurrently.
type Gate struct {
	owner Owner
	term  time.Duration

	// Your fields.
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
	return nil
}

// Admit returns nil if the member may start an activation of id now, which its
// view gives to it. Otherwise it returns an *actor.RejectedError, which is an
// actor.ErrNotDelivered and says when to try again: the member's lease is none,
// or somebody who owned id has vanished and may have one. Who was seen leaving
// before it was gone has stopped what it had, and nobody waits for it.
func (g *Gate) Admit(now time.Time, lease Lease, id cluster.Identity) error {
	return todo.Error("4.6")
}

// Package lookup is exercise 4.4: get or activate, and exactly one.
package lookup

import (
	"context"

	"github.com/protocluster/workshop/chapters/todo"
	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// Node is what a Locator may do on its member. All methods may be called
// concurrently.
type Node interface {
	// Self is the member itself.
	Self() cluster.Member
	// Owner is the member that hosts id.
	Owner(id cluster.Identity) (cluster.Member, error)
	// Start starts an actor for id, another one at each call, and returns once
	// it has started, which may take long, or when ctx ends.
	Start(ctx context.Context, id cluster.Identity) (*actor.PID, error)
	// Ask has the Locator of m Serve id.
	Ask(ctx context.Context, m cluster.Member, id cluster.Identity) (*actor.PID, error)
}

// Locator finds or makes the actor of an identity, for one member. It starts a
// goroutine for each activation, which ends with Node.Start. Its methods may be
// called concurrently.
type Locator struct {
	node Node
	// Your fields.
}

// New returns the locator of a member on which nothing lives yet.
func New(node Node) *Locator {
	return &Locator{node: node}
}

// Locate returns the PID of id's actor, which lives at its owner and is started
// there if need be. It blocks until that is known or ctx ends.
func (l *Locator) Locate(ctx context.Context, id cluster.Identity) (*actor.PID, error) {
	return nil, todo.Error("4.4")
}

// Serve answers another member's Node.Ask: as Locate does if id belongs here,
// else with a *cluster.MovedError that names the owner.
func (l *Locator) Serve(ctx context.Context, id cluster.Identity) (*actor.PID, error) {
	return nil, todo.Error("4.4")
}

// Ended says that the actor pid of id has ended: it is forgotten, and no newer
// one is. It may come before Node.Start has returned pid.
func (l *Locator) Ended(id cluster.Identity, pid *actor.PID) {
}

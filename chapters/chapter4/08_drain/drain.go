// Package drain is exercise 4.8: leaving a cluster politely.
package drain

import (
	"context"

	"github.com/protocluster/workshop/chapters/todo"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// Member is what is drained. Its methods may be called concurrently, and
// return early with an error when their ctx ends. An error says what it is about.
type Member interface {
	// Cordon has the view show the member as leaving, and returns when the
	// others have seen that. From then on they send what is new elsewhere.
	Cordon(ctx context.Context) error
	// Activations returns what is active on the member now.
	Activations() []cluster.Identity
	// Stop has one activation finish what is queued, and returns when it has
	// ended.
	Stop(ctx context.Context, id cluster.Identity) error
	// Withdraw takes the member out of the view.
	Withdraw(ctx context.Context) error
}

// Drainer takes one member out of the cluster. Its methods may be called
// concurrently.
type Drainer struct {
	member Member

	// Your fields.
}

// New returns a Drainer that lets everything in.
func New(member Member) *Drainer { return &Drainer{member: member} }

// Admit returns nil if an activation of id may be started on the member. Once
// Drain has begun it returns an error that is actor.ErrNotDelivered: it can be
// tried elsewhere.
func (d *Drainer) Admit(id cluster.Identity) error {
	return todo.Error("4.8")
}

// Drain takes the member out: it cordons it, stops all that is active at the
// same time, also what has started meanwhile, and withdraws it. Every step is
// taken, whatever became of those before it; the errors are joined. If ctx has a
// deadline, no step uses up the time of those after it. A second call waits for
// the first and returns what that returned, or the error of its own ctx if that
// ends before.
func (d *Drainer) Drain(ctx context.Context) error {
	return todo.Error("4.8")
}

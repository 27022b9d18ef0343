package cluster

import (
	"context"
	"fmt"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
)

// IdentityLookup decides where an identity lives. A value holds no state of a
// node: what a node learns lives in the Locator that Bind returns.
type IdentityLookup interface {
	Bind(host Host) (Locator, error)
}

// Locator finds or makes the activation of an identity for one node. All
// methods but Close may be called concurrently.
type Locator interface {
	// Locate returns the PID of the identity's activation, activating it
	// where it belongs if need be.
	Locate(ctx context.Context, id Identity) (*actor.PID, error)
	// Serve answers another member's Host.Ask: it activates id here, or
	// returns a *MovedError if id does not belong here.
	Serve(ctx context.Context, id Identity) (*actor.PID, error)
	// Update tells of a new view, before requests are routed by it. It
	// does not block.
	Update(view *View)
	// Close ends what Bind began; the activations are stopped by the host.
	Close(ctx context.Context) error
}

// Placer is what a Locator may also be, whose placement depends on the view
// alone. The node then keeps kinds to one activation at most, unless they are
// Eventual: it activates an identity only where Owner says, under a lease, and
// once all who owned it before have let go. That takes a ViewStore.
type Placer interface {
	// Owner returns the member that hosts id in view, or false if none does.
	// It is the same on every node, does not block, and may be called
	// concurrently, also for views that have passed.
	Owner(view *View, id Identity) (Member, bool)
}

// Router is what a Locator may also be that knows, without asking anybody, where
// it would Locate an identity. A first request then goes there at once, where the
// Host activates the identity if its own Router says that it belongs there, and
// neither Locate nor Serve is asked.
type Router interface {
	// Route returns the member that id belongs to in the view of the last
	// Update, or false if there is none. It does not block.
	Route(id Identity) (Member, bool)
}

// Host is what a Locator may do on its node. All methods may be called
// concurrently.
type Host interface {
	Self() Member
	View() *View
	// Activate returns the one activation of id on this node, starting it
	// if there is none, and returns once it has started. Callers that come
	// meanwhile share the outcome; a failure is told to all of them and
	// forgotten. An identity of a strict kind is activated if this member
	// may; else the error is a *MovedError or a *FencedError.
	Activate(ctx context.Context, id Identity) (*actor.PID, error)
	// Ask has the Locator of another member Serve id.
	Ask(ctx context.Context, member Member, id Identity) (*actor.PID, error)
	// Retain evicts every activation on this node for which keep is false:
	// each finishes what is queued, then stops. It does not block.
	Retain(keep func(Identity) bool)
}

// MovedError says that an identity belongs to another member in a view that
// the asked member has. It is definitely not executed, and is retried.
type MovedError struct {
	ID    Identity
	Owner Member // zero if no member hosts the kind
	Epoch uint64 // of the view that says so
}

func (e *MovedError) Error() string {
	return fmt.Sprintf("cluster: %s moved to %s at %s in epoch %d", e.ID, e.Owner.ID, e.Owner.Address, e.Epoch)
}

// Is makes a MovedError an actor.ErrNotDelivered.
func (e *MovedError) Is(target error) bool { return target == actor.ErrNotDelivered }

// NoHostError says that no member in the view hosts a kind.
type NoHostError struct {
	ID      Identity
	Members []Member // all of the view, none of which is up and hosts ID.Kind
}

func (e *NoHostError) Error() string {
	hint := ""
	if e.swapped() {
		hint = fmt.Sprintf("; arguments swapped? %q is a kind, and the kind comes first", e.ID.Identity)
	}
	return fmt.Sprintf("cluster: none of %d members hosts kind %q; add it with WithKinds (or WithClusterKind) on one of them%s",
		len(e.Members), e.ID.Kind, hint)
}

func (e *NoHostError) swapped() bool {
	for _, m := range e.Members {
		if m.Hosts(e.ID.Identity) {
			return true
		}
	}
	return false
}

// Is makes a NoHostError an actor.ErrNotDelivered.
func (e *NoHostError) Is(target error) bool { return target == actor.ErrNotDelivered }

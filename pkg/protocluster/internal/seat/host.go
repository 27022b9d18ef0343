package seat

import "github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"

// Host is the node that a Seat is for: it holds the activations. One goroutine
// of the seat calls its methods, in the order of what happened. They may call
// the seat, and must not block: the next call has to wait, but no lease does.
type Host interface {
	// Seated says that the seat goes by another view, in which the node is
	// the member self. Placement changes with it. The host answers with
	// Seat.Released, and once the view shows self leaving and the host holds
	// nothing any more, with Seat.Drained. The node does not serve until
	// Regained.
	Seated(self string, view *sealedview.View)
	// Unseated says that self is not a member any more, for good: everything
	// it holds is to be dropped without a trace. View shows it. Unless the
	// node has left, the seat goes on under a new id, once this returns.
	Unseated(self string, view *sealedview.View)
	// Lapsed says that the node has lost its lease: whatever handlers are at
	// work, their results count for nothing. A new view begins without a
	// lease as well, but for that Lapsed is only called if there is none by
	// the time the one before would have ended.
	Lapsed()
	// Regained says that the node serves from now on: for the first time in
	// the view that it was told of last, or again. What it held it still
	// holds, in the state in which it was.
	Regained()
}

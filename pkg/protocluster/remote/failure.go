package remote

import "github.com/protocluster/workshop/pkg/protocluster/internal/wire"

// Why a message did not reach its actor. Each Is actor.ErrNotDelivered.
var (
	// ErrUnknownType: the receiving node cannot decode the message's type,
	// or the sending one cannot encode it.
	ErrUnknownType = wire.ErrUnknownType
	// ErrTooLarge: the message exceeds what a node of the two takes.
	ErrTooLarge = wire.ErrTooLarge
	// ErrMalformed: the message cannot be encoded or decoded.
	ErrMalformed = wire.ErrMalformed
	// ErrForbidden: the receiving node does not let this one do that.
	ErrForbidden = wire.ErrForbidden
	// ErrUnreachable: there is no connection to the node.
	ErrUnreachable = wire.ErrUnreachable
)

type (
	// Error is why a message came to nothing at one of the two nodes, or a
	// reply that was an error at the other. Its Class is a sentinel of this
	// package or of actor; nil for any other error.
	Error = wire.Error
	// Bounced is the Message of the dead letter for a message that another
	// node sent back: of the message itself only the name of its type is left.
	Bounced = wire.Bounced
)

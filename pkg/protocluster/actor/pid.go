package actor

import (
	"strings"
	"sync/atomic"
)

// localAddress is what PIDs carry until a Transport gives the system another.
const localAddress = "local"

// futurePrefix begins the ids under which other nodes know futures.
const futurePrefix = "$future-"

// PID is the address of an actor or of a Future: a node and a name there. It
// may be kept, copied field by field, compared with Equal and sent in messages;
// it stays valid when the actor restarts. A Future's PID has no ID until it
// crosses to another node.
type PID struct {
	Address string // of the node, host:port; "" and "local" mean this system
	ID      string // unique in the node

	cell   atomic.Pointer[cell] // the actor found last; may have ended
	future *Future              // set for good if this is a future's PID
}

// NewPID returns the PID of the actor called id at address.
func NewPID(address, id string) *PID { return &PID{Address: address, ID: id} }

func (p *PID) String() string {
	switch {
	case p == nil:
		return "nobody"
	case p.future != nil:
		return p.Address + "/future"
	}
	return p.Address + "/" + p.ID
}

// Equal reports whether p and other address the same actor.
func (p *PID) Equal(other *PID) bool {
	if p == other || p == nil || other == nil {
		return p == other
	}
	return p.future == other.future && p.ID == other.ID && p.Address == other.Address
}

// pidKey is what two PIDs that are Equal have in common.
type pidKey struct {
	address, id string
	future      *Future
}

func (p *PID) key() pidKey {
	if p == nil {
		return pidKey{}
	}
	return pidKey{p.Address, p.ID, p.future}
}

// IsFuture reports whether p addresses a future, here or on another node: a
// sender that waits for a reply, and for nothing else.
func (p *PID) IsFuture() bool {
	return p != nil && (p.future != nil || strings.HasPrefix(p.ID, futurePrefix))
}

// FutureOf returns the future of this process that pid addresses, or nil.
func FutureOf(pid *PID) *Future {
	if pid == nil {
		return nil
	}
	return pid.future
}

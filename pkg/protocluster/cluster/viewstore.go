package cluster

import (
	"context"
	"errors"

	"github.com/protocluster/workshop/pkg/protocluster/internal/seat"
)

// ErrConflict says that a record has been written since it was read.
var ErrConflict = errors.New("cluster: the view store's record has changed")

// ErrDenied says that the view store does not permit this node what it needs,
// which its error names. Join and Connect end with it at once.
var ErrDenied = errors.New("cluster: the view store refuses this node")

// ViewStore is what a Provider may also be: it keeps one record for the
// cluster, linearizably, which is what it takes to have activations that are
// never two at a time. Its Run opens the store and calls Keep.
type ViewStore interface {
	Provider
	// OpenStore begins the node's use of the store. It does no more than
	// needs no answer from it.
	OpenStore(node Node) (Store, error)
}

// Store is one node's connection to a view store. Every call ends with its
// context; all but Close may be called concurrently. An error names the store's
// address, and what to do if that is known; a call that failed may still have
// had its effect, or have it later, unless its error says otherwise.
type Store interface {
	// Read returns the record and who has announced itself, as they are at
	// some instant after the call began.
	Read(ctx context.Context) (Record, error)
	// Write replaces the record if its version is still that, 0 meaning that
	// there is none, and returns its new version. It fails with ErrConflict
	// if it did nothing for that reason; after another error it may have
	// happened or may yet happen.
	Write(ctx context.Context, data []byte, version uint64) (uint64, error)
	// Wait returns when the record or the announcements may differ from
	// what the Read showed that returned since, of which only Revision
	// counts. It misses nothing, but may return too often, and after a
	// minute it does. After an error it takes its time, so that it can be
	// called again and again.
	Wait(ctx context.Context, since Record) error
	// Announce tells the members that a node wants to join, until Withdraw
	// or until the node has not been heard of for a while. It replaces what
	// was announced here before.
	Announce(ctx context.Context, id string, data []byte) error
	// Withdraw takes Announce back; if it fails, call it again, or let the
	// announcement run out.
	Withdraw(ctx context.Context) error
	// Show makes the node visible to people, where the store has a place for
	// that, and goes on trying to after an error. Nothing decides by it.
	Show(ctx context.Context, m Member) error
	// Close ends what the node began there, within ctx, and may be called
	// again. Nothing else is called then.
	Close(ctx context.Context) error
}

// Record is what a Store holds.
type Record = seat.Record

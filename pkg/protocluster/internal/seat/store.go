package seat

import "context"

// Store is one node's use of a view store. It promises what cluster.Store does.
type Store interface {
	// Read returns the record and who has announced itself, as they are at
	// some instant after the call began.
	Read(ctx context.Context) (Record, error)
	// Write replaces the record if its version is still that, 0 meaning that
	// there is none, and returns its new version. It fails with
	// Config.Conflict if it did nothing for that reason; after another error
	// it may have happened or may yet happen.
	Write(ctx context.Context, data []byte, version uint64) (uint64, error)
	// Wait returns when there may be something else to read than the Read
	// that returned since did, and now and then without reason.
	Wait(ctx context.Context, since Record) error
	// Announce tells the members that a node wants to join, until Withdraw.
	Announce(ctx context.Context, id string, data []byte) error
	// Withdraw takes Announce back.
	Withdraw(ctx context.Context) error
}

// Record is what a Store holds.
type Record struct {
	Data     []byte   // nil if there is none
	Version  uint64   // 0 if there is none; else another with each write
	Joiners  [][]byte // what was announced, in no order
	Revision uint64   // for Wait: of the record and the announcements together; it may go back
}

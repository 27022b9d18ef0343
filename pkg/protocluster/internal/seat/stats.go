package seat

import "time"

// Stats tell how a seat fares. Counters count from New.
type Stats struct {
	Self    string // the member id at present, or the one to come
	Epoch   uint64 // of the installed view; 0 if there is none
	Members int    // in it
	Serves  bool

	Views      uint64 // installed
	Evictions  uint64 // views that did without this node, which had not left
	Lapses     uint64 // ends of the lease within a view
	Violations uint64 // of the protocol's invariants: bugs
	Sleeps     uint64 // of the machine, each of which voids the lease
	Grants     uint64 // of leases to others

	StoreReads     uint64
	StoreWrites    uint64 // that took effect
	StoreConflicts uint64 // writes that came too late
	StoreErrors    uint64 // calls that failed, and those that ran out of time
	BadJoiners     int    // announcements, in the newest read, that cannot be read
	// StoreAge is how old the newest evidence is that the store shows the
	// installed view; negative if there is none. It comes from this node's
	// own reads and from those of others.
	StoreAge time.Duration
	// StoreOut is since when this node cannot read the store; zero if it can.
	StoreOut time.Time

	Connections int            // other nodes that there is a stream with, or was one lately
	Sent        uint64         // messages that were handed to a connection
	Dropped     uint64         // messages that were too old, too many, or for nobody known
	Received    uint64         // messages
	Rejected    map[string]int // what other nodes were refused for, by reason
}

package sealedview

import "time"

// What happens to a node.
type (
	// Tick is the passing of time; it is due at Node.Next.
	Tick struct{}
	// Slept says that the clock stood still for a while, as a monotonic clock
	// does while the machine sleeps. What was granted before is void.
	Slept struct {
		For time.Duration // so much more than the clock shows has passed, about
	}
	// Received is a message from another node. From is known to be its
	// sender, and has an address.
	Received struct {
		From    *Member
		Message Message
	}
	// Read is the outcome of a ReadStore. There has to be one for each, in
	// the end.
	Read struct {
		Sent    time.Duration // when the read began
		View    *View         // nil if there is no record, or none that can be read
		Garbled error         // why it cannot be read; what Parse returned
		Version uint64        // of the record; 0 if there is none
		Joiners []Member      // that have announced themselves
		Err     error         // the store did not answer
	}
	// Seen is what a watch of the store came upon; it may be old. It leads to
	// a ReadStore if it is news.
	Seen struct {
		View    *View
		Joiners []Member
	}
	// Wrote is the outcome of a WriteStore. There has to be one for each, in
	// the end.
	Wrote struct {
		Sent    time.Duration // when the write began
		Nonce   string
		Applied bool
		Version uint64 // of the record, if applied
		Err     error  // whether it was applied is not known
	}
	// Released says that the host holds nothing that View assigns to the
	// member To, or to any other member if To is "", and that it will not
	// activate under an older view.
	Released struct {
		View Stamp
		To   string
	}
	// Leave has the node leave: its host is told by an Installed view that
	// shows it leaving, and answers with Drained.
	Leave struct{}
	// Drained says that the host of a node that is leaving holds nothing any
	// more.
	Drained struct{}
)

// Event is one of the types above.
type Event interface{ event() }

func (Tick) event()     {}
func (Slept) event()    {}
func (Received) event() {}
func (Read) event()     {}
func (Seen) event()     {}
func (Wrote) event()    {}
func (Released) event() {}
func (Leave) event()    {}
func (Drained) event()  {}

// What a node wants done.
type (
	// Send sends a message to another node, past every queue.
	Send struct {
		To      *Member
		Message Message
	}
	// ReadStore reads the record and the announcements, linearizably.
	ReadStore struct{}
	// WriteStore replaces the record if it still has that version; version 0
	// creates it.
	WriteStore struct {
		View    *View
		Version uint64
	}
	// Installed says that the node goes by another view. Placement changes
	// with it; the host answers with Released.
	Installed struct{ View *View }
	// Evicted says that the node is not a member any more, for good: its
	// activations are to be dropped without a trace. View is the one that
	// shows it. Effects may follow, but nothing comes of further events.
	Evicted struct{ View *View }
	// Warn tells the operator.
	Warn struct{ Text string }
	// Violated says that an invariant of the protocol does not hold: a bug,
	// or a host that broke its word. The node did not act on it.
	Violated struct{ Text string }
)

// Effect is one of the types above.
type Effect interface{ effect() }

func (Send) effect()       {}
func (ReadStore) effect()  {}
func (WriteStore) effect() {}
func (Installed) effect()  {}
func (Evicted) effect()    {}
func (Warn) effect()       {}
func (Violated) effect()   {}

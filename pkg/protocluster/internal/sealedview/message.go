package sealedview

import "time"

// What the nodes of a cluster tell each other. All of it may be lost, delayed,
// repeated or reordered.
type (
	// Renew asks a grantor for the sender's lease. The council gets it
	// whether it grants or not: it is also the sign of life.
	Renew struct {
		View   Stamp // installed by the sender
		Seq    uint64
		Serves bool // the sender has a lease at present
	}
	// Grant answers a Renew.
	Grant struct {
		View     Stamp // installed by the grantor
		Seq      uint64
		Granted  bool
		Sealed   bool          // View is
		StoreAge time.Duration // of the grantor's evidence that the store shows View; negative: none
		Leased   bool          // the grantor has a lease, and knows of nothing that the store lost
	}
	// Exclude asks a grantor to stop granting to Target in View.
	Exclude struct {
		View   Stamp
		Target string
	}
	// Excluded answers an Exclude.
	Excluded struct {
		View      Stamp // installed by the grantor
		Target    string
		Excluded  bool
		Remaining time.Duration // until its promises to Target have run out
	}
	// Push hands on a view that the sender has installed, or has left for,
	// if it is no member of it.
	Push struct{ View *View }
	// Barrier is what Gate says it is. It is repeated until Heard.
	Barrier struct {
		View Stamp
		All  bool
		Of   string // the members whose barriers the council hands on, as Gate.gathered has them; "": the sender's own
	}
	// Heard answers a Barrier; one with Of if that is all members.
	Heard struct {
		View Stamp
		All  bool
	}
	// Knock asks whether the connection works both ways: a member asks a
	// joiner, and a joiner makes itself known by it.
	Knock struct{}
	// Answer answers a Knock.
	Answer struct{}
)

// Message is one of the types above.
type Message interface{ message() }

func (Renew) message()    {}
func (Grant) message()    {}
func (Exclude) message()  {}
func (Excluded) message() {}
func (Push) message()     {}
func (Barrier) message()  {}
func (Heard) message()    {}
func (Knock) message()    {}
func (Answer) message()   {}

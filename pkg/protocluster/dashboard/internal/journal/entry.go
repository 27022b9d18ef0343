package journal

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// mostMessages is how many an entry remembers.
const mostMessages = 8

// End is how an activation ended.
type End uint8

// The ends of activations.
const (
	Stopped End = iota // by itself, idle, or because placement gave it to another member
	Dropped            // without saving: its member had lost the right to it
	Drained            // its member was told to leave
)

// entry is what is noted of one activation.
type entry struct {
	id       cluster.Identity
	serial   uint64
	hash     uint64
	token    actor.Token
	pid      *actor.PID
	view     uint64        // the epoch of its node's view when it began
	began    time.Duration // since the journal did, as all times here
	over     bool          // guarded by Journal.mu, as are gone and end
	gone     time.Duration
	end      End
	stopping atomic.Bool

	mu      sync.Mutex
	handled uint64
	last    []message // a ring: message n is at n % mostMessages
}

type message struct {
	name     *string
	at, took time.Duration
	asked    bool
	panicked bool
}

func (e *entry) strict() bool { return e.token != (actor.Token{}) }

func (e *entry) note(m message) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.last) < mostMessages {
		e.last = append(e.last, m)
	} else {
		e.last[e.handled%mostMessages] = m
	}
	e.handled++
}

// Activation is one activation of an identity, as it was at some instant.
type Activation struct {
	Serial  uint64 // of those of this journal
	Token   actor.Token
	View    uint64 // the epoch of its member's view when it began
	Age     time.Duration
	Over    bool
	Gone    time.Duration // since it ended
	End     End
	Handled uint64
	Last    []Message // newest first
}

// Message is one that an activation handled. What it carried is not kept.
type Message struct {
	Type      string
	Age, Took time.Duration
	Asked     bool // its sender waited for a reply
	Panicked  bool
}

// activation is e as it is now; Journal.mu is held.
func (e *entry) activation(now time.Duration) Activation {
	a := Activation{Serial: e.serial, Token: e.token, View: e.view, Age: now - e.began, Over: e.over, End: e.end}
	if a.Over {
		a.Gone = now - e.gone
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	a.Handled = e.handled
	for i := range uint64(len(e.last)) {
		m := e.last[(e.handled-1-i)%mostMessages]
		a.Last = append(a.Last, Message{*m.name, now - m.at, m.took, m.asked, m.panicked})
	}
	return a
}

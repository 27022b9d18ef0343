package referee

import (
	"cmp"
	"fmt"
	"time"
)

// Token orders the activations of an identity, as actor.Token does. The zero
// Token is that of an activation which nobody fences.
type Token struct {
	Epoch   uint64 `json:"e,omitempty"`
	Counter uint64 `json:"c,omitempty"`
}

// Compare is negative if t is older than o.
func (t Token) Compare(o Token) int {
	return cmp.Or(cmp.Compare(t.Epoch, o.Epoch), cmp.Compare(t.Counter, o.Counter))
}

func (t Token) String() string { return fmt.Sprintf("%d.%d", t.Epoch, t.Counter) }

// Activation is one life of an identity.
type Activation struct {
	Identity string `json:"id"`
	Name     string `json:"act"` // no other activation has it
	Token    Token  `json:"tok,omitzero"`
	Process  string `json:"proc"` // where it lives
}

func (a Activation) String() string {
	return fmt.Sprintf("%.8s in %s with token %s", a.Name, a.Process, a.Token)
}

// Entry is a message that an activation was given to handle.
type Entry struct {
	Activation

	// At is Now as the handler found it before it did anything else. The check
	// of the lease came before that.
	At time.Duration `json:"at"`
	// Number is how many messages the activation was given before, that it
	// was started being the first.
	Number uint64 `json:"n"`
}

// Exit is the end of the handler that an Entry told of.
type Exit struct {
	Identity string        `json:"id"`
	Name     string        `json:"act"` // of the activation
	Number   uint64        `json:"n"`
	At       time.Duration `json:"at"`
}

// Reply is an answer that a client accepted.
type Reply struct {
	Activation

	Sent time.Duration `json:"sent"` // when the request was made
	Came time.Duration `json:"came"`
}

// Pause is a while in which a process could not run.
type Pause struct {
	Process  string
	From, To time.Duration
}

// Verb is what a client asks of an identity.
type Verb string

// What clients ask.
const (
	Count Verb = "count" // one more, in memory
	Read  Verb = "read"  // the register
	Write Verb = "write" // the register
	Burn  Verb = "burn"  // processor time
)

// Outcome is what a client knows of a request.
type Outcome string

// What clients know.
const (
	Answered    Outcome = "answered"
	NotExecuted Outcome = "not executed"
	Refused     Outcome = "refused"   // by the identity itself, which did nothing
	Misrouted   Outcome = "misrouted" // another identity answered
	Unknown     Outcome = "unknown"
)

// Operation is one request of a client, from the first try to the last.
type Operation struct {
	Reply

	Client  int     `json:"client"` // who makes one request at a time
	Verb    Verb    `json:"verb"`
	Value   int64   `json:"value"` // written or read, or the count
	Outcome Outcome `json:"outcome"`
	Error   string  `json:"error,omitempty"`
}

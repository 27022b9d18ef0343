package actor

import "time"

// Actor is state that only its own messages touch. Receive is called for one
// message at a time and may block; a panic in it is a failure of this actor
// that its supervisor decides about.
type Actor interface {
	Receive(ctx Context)
}

// ReceiveFunc is an Actor made of one function.
type ReceiveFunc func(ctx Context)

// Receive calls f.
func (f ReceiveFunc) Receive(ctx Context) { f(ctx) }

// The messages of an actor's life, in the order in which it sees them.
type (
	// Started is an actor's first message, and the first after a restart.
	Started struct{}
	// Restarting is the last message to the instance that a restart replaces.
	Restarting struct{}
	// Stopping comes when the stop begins: children still run. It is where
	// state is saved, and does not come when System.Kill ends the actor.
	Stopping struct{}
	// Stopped comes last, however the actor ends: children have ended, and
	// nothing follows. It is where the actor gives back what it holds.
	Stopped struct{}
	// ReceiveTimeout says that no message came for the time that was set.
	ReceiveTimeout struct{}
	// PoisonPill sent as a message stops the actor once it has handled what
	// was queued before.
	PoisonPill struct{}
)

// Terminated tells a watcher, and the parent, that an actor has ended. It does
// not come to an actor that stops, nor of the children that a restart ends.
type Terminated struct {
	Who    *PID
	Reason error // nil if it stopped; else why nothing more is known of it
}

// NotInfluenceReceiveTimeout marks messages that do not keep an actor awake:
// they leave its receive timeout running.
type NotInfluenceReceiveTimeout interface{ NotInfluenceReceiveTimeout() }

// Envelope is a message on its way.
type Envelope struct {
	Message any
	Sender  *PID  // nil if nobody expects a reply
	Meta    *Meta // nil if there is nothing to tell
}

// Meta is what travels with a message beside its content. It must not be
// modified once the message was sent.
type Meta struct {
	Deadline time.Time // when the sender stops waiting; zero: never
	Header   map[string]string
}

package actor

import "github.com/protocluster/workshop/pkg/protocluster/internal/holdback"

// Guard says whether an actor may go on: whether its node has the right to.
//
// It is asked for a message of the mailbox (a PoisonPill too), *Terminated and
// *ReceiveTimeout right before they are handled. If it says no, the actor handles
// nothing more, but starts, restarts and stops, until System.Resume; then the
// guard is asked again. Change the guard's answer before the call of Resume, and
// before that of System.Suspend.
//
// A guarded actor's replies are kept until the handler has returned, and leave
// if the guard then says yes; else after a Resume when it does, in order and
// before anything more is handled. A reply is what the actor's Context sends to
// the message's sender, and the *PanicError that a waiting one gets. What a
// goroutine replies after the handler has returned leaves at once if the guard
// says yes, and may then overtake what the handler replied; else it is kept as
// well. An actor that ends asks once more and drops what is not to leave.
// What goes to others than the sender, or by System.Send, leaves at once.
//
// Admit is called by any number of goroutines, twice for a request: it must not
// block, panic, or take long. Children have the guard that their own Props say.
type Guard interface {
	Admit(self *PID) bool
}

// WithGuard has the actor handle messages and reply only while g admits it.
func WithGuard(g Guard) PropsOption { return func(p *Props) { p.guard = g } }

// Resume has an actor of this system that its guard held back ask it again.
func (s *System) Resume(pid *PID) {
	if c := s.local(pid); c != nil {
		c.postSystem(inTurn(c.readmit))
	}
}

// Suspend ends the Contexts of the messages that an actor of this system has
// handled or is handling, with ErrSuspended as the cause; not those of later
// ones. It does not keep it from going on: that is the guard's.
func (s *System) Suspend(pid *PID) {
	if c := s.local(pid); c != nil {
		c.life.Suspend()
	}
}

// Kill is Stop for an actor of this system that has lost the right to save its
// state or to reply: it gets *Stopped without *Stopping, and replies that were
// kept are dropped. Once Kill has returned, the actor begins no other message
// than *Stopped. Its children are killed as well.
func (s *System) Kill(pid *PID) {
	if c := s.local(pid); c != nil {
		c.kill()
	}
}

func (c *cell) kill() {
	c.life.Kill()
	c.postSystem(&Stop{})
}

// admitted begins what the actor handles next, unless its guard or a Kill holds
// that back. Contexts are renewed before the guard is asked, so that a Suspend
// after its yes is one of this message.
func (c *cell) admitted() bool {
	if c.held || c.life.Killed() {
		return false
	}
	c.life.Next()
	if c.guard != nil && !c.guard.Admit(&c.pid) {
		c.held = true
	}
	return !c.held
}

// readmit ends what the guard's last no began.
func (c *cell) readmit() {
	c.held = false
	if c.guarded != nil {
		c.guarded.replies.Release(c.guarded)
	}
}

// returned has the replies leave to a message of sender's whose handler has returned.
func (c *cell) returned(sender *PID) {
	if g := c.guarded; g != nil && sender != nil && !g.replies.End(g, c.life.Number()) {
		c.held = true
	}
}

// guarded is the cell of a guarded actor, with the replies that it has not sent yet.
// They are in one piece because each message touches both.
type guarded struct {
	cell

	replies holdback.Queue[reply]
}

type reply struct {
	to *PID
	Envelope
}

// Admit implements holdback.Keeper.
func (g *guarded) Admit() bool { return !g.life.Killed() && g.guard.Admit(&g.pid) }

// Send implements holdback.Keeper.
func (g *guarded) Send(v reply) { _ = g.system.SendEnvelope(v.to, v.Envelope) }

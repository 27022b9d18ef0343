package actor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/timers"
)

// Send sends message to an actor. It does not block; what nobody takes becomes
// a DeadLetter event.
func (s *System) Send(to *PID, message any) {
	_ = s.SendEnvelope(to, Envelope{Message: message})
}

// TrySend is Send that returns what is known at once, instead of a DeadLetter:
// ErrNoActor, ErrStopped, ErrMailboxFull, or why the message cannot cross to
// another node.
func (s *System) TrySend(to *PID, message any) error {
	return s.send(to, Envelope{Message: message})
}

// Ask sends message to an actor and waits for its reply until ctx ends. A reply
// that is an error is returned as the error. Without a reply the error says by
// errors.Is whether the message was ErrNotDelivered or has ErrUnknownOutcome.
// In a handler, pass the handler's Context as ctx or one made from it.
func (s *System) Ask(ctx context.Context, to *PID, message any) (any, error) {
	return s.AskUntil(ctx, time.Time{}, to, message)
}

// AskUntil is Ask that also ends when the time has come, unless that is zero. It
// costs less than a context that does.
func (s *System) AskUntil(ctx context.Context, until time.Time, to *PID, message any) (any, error) {
	f := s.NewFuture(0)
	end, until, over := timers.End(ctx, until)
	f.meta.Deadline = end
	if over == nil && s.SendEnvelope(to, f.envelope(message)) == nil && cellOf(to) != nil { // an error fails the future
		s.workers.GiveWay(f.Completed) // an actor here mostly replies meanwhile: 0.7 of the time
	}
	if why := f.await(ctx, until); why != nil {
		f.expire(0, why) // unless the reply has just come
	}
	return f.value, f.err
}

// Ask is System.Ask for replies of one type.
func Ask[R any](ctx context.Context, s *System, to *PID, message any) (R, error) {
	reply, err := s.Ask(ctx, to, message)
	r, ok := reply.(R)
	if err == nil && !ok {
		err = fmt.Errorf("actor: %v replied to %T with %T, want %T", to, message, reply, r)
	}
	return r, err
}

// RequestFuture sends message to an actor and returns its reply to come; 0 as
// time-out means none.
func (s *System) RequestFuture(to *PID, message any, timeout time.Duration) *Future {
	f := s.NewFuture(timeout)
	_ = s.SendEnvelope(to, f.envelope(message)) // an error fails the future
	return f
}

// SendEnvelope sends e to an actor. What is refused at once is returned as the
// error, fails the sender if that is a future, and else becomes a DeadLetter.
func (s *System) SendEnvelope(to *PID, e Envelope) error {
	if c := cellOf(to); c != nil && c.system == s && c.limit == 0 && FutureOf(e.Sender).MarkSent() &&
		c.user.Push(e.Message, attached{e.Sender, e.Meta}, defaultMailboxLimit) == nil {
		c.wake()
		// As in most cases; send is for the others, and for what could not be told so. It
		// would make two more calls: a tell takes 0.9 of the time.
		return nil
	}
	err := s.send(to, e)
	if err != nil {
		s.Refuse(to, e, err)
	}
	return err
}

func (s *System) send(to *PID, e Envelope) error {
	if to == nil {
		return fmt.Errorf("actor: send %T to nobody: %w", e.Message, ErrNoActor)
	}
	if c := to.cell.Load(); c != nil && c.system == s {
		if err := c.accept(e); err == nil || !errors.Is(err, ErrStopped) {
			return err
		}
	}
	if f := to.future; f != nil && f.system == s {
		if !f.Complete(e.Message) {
			return ErrStopped
		}
		return nil
	}
	if o := s.outside.Load(); !o.local(to.Address) {
		if o.transport == nil {
			return fmt.Errorf("actor: %v is on another node and this system has no remote: %w", to, ErrNotDelivered)
		}
		return o.transport.Deliver(to, e)
	}
	pid := s.registry.Get(to.ID)
	if c := cellOf(pid); c != nil && to != pid {
		to.cell.Store(c) // the next message finds it without a look-up
	}
	return s.deliver(pid, to.ID, e)
}

// deliver hands e to what the registry knows under id.
func (s *System) deliver(pid *PID, id string, e Envelope) error {
	err := ErrNoActor
	switch c := cellOf(pid); {
	case c != nil:
		err = c.accept(e)
	case pid != nil:
		if pid.future.Complete(e.Message) {
			return nil
		}
	}
	if err != nil && !errors.Is(err, ErrMailboxFull) && s.missing.Take(id, e) {
		return nil
	}
	return err
}

// local finds the actor of this system that has that PID, or nil.
func (s *System) local(pid *PID) *cell {
	if c := cellOf(pid); pid == nil || c != nil && c.system == s && c.work.Load() != over {
		return c
	}
	if !s.outside.Load().local(pid.Address) {
		return nil
	}
	return cellOf(s.registry.Get(pid.ID))
}

func cellOf(pid *PID) *cell {
	if pid == nil {
		return nil
	}
	return pid.cell.Load()
}

func (o *outside) local(address string) bool {
	return address == o.address || address == localAddress || address == ""
}

// accept posts e unless its asker has given up.
func (c *cell) accept(e Envelope) error {
	if !FutureOf(e.Sender).MarkSent() {
		return fmt.Errorf("%w: the asker waits no more", ErrNotDelivered)
	}
	return c.post(e)
}

// Refuse tells whoever should know that to did not get e, and why: an asker, on
// whichever node, or else the subscribers of DeadLetter. It is for those who
// took a message and cannot hand it on; err is an ErrNotDelivered.
func (s *System) Refuse(to *PID, e Envelope, err error) {
	switch f := FutureOf(e.Sender); {
	case f != nil:
		f.Fail(err)
	case e.Sender.IsFuture():
		_ = s.send(e.Sender, Envelope{Message: &RejectedError{Reason: err}}) // if that fails, nobody waits any more
	case !private(e.Message): // a PoisonPill for nobody has had its way
		s.events.Publish(&DeadLetter{To: to, Message: e.Message, Sender: e.Sender, Reason: err})
	}
}

// Receive is how a Transport hands over a message for an actor or future of
// this node. It does not block; ErrNoActor, ErrStopped and ErrMailboxFull say
// that nobody took it.
func (s *System) Receive(id string, e Envelope) error {
	return s.deliver(s.registry.Get(id), id, e)
}

// ReceiveRun is Receive for messages to one actor, whose senders are on other
// nodes: true if it has taken all of them, in order; false if none of them, as
// when its mailbox has a limit, which counts each: then Receive is to be called.
func (s *System) ReceiveRun(id string, run []Envelope) bool {
	c := cellOf(s.registry.Get(id))
	at := func(i int) (any, attached) { return run[i].Message, attached{run[i].Sender, run[i].Meta} }
	if c == nil || c.limit > 0 || c.user.PushAll(len(run), at, defaultMailboxLimit) != nil {
		return false
	}
	c.wake()
	return true
}

// ReceiveSystem is Receive for system messages.
func (s *System) ReceiveSystem(id string, m SystemMessage) {
	s.deliverSystem(s.registry.Get(id), NewPID(s.Address(), id), m)
}

// Publish returns the id under which other nodes can send to pid. A future
// gets its id here, and has none, "", once it is complete.
func (s *System) Publish(pid *PID) string {
	if pid.future != nil {
		return pid.future.publish()
	}
	return pid.ID
}

// sendSystem sends m to an actor, or to a future a *Terminated.
func (s *System) sendSystem(to *PID, m SystemMessage) {
	switch c, f, o := cellOf(to), FutureOf(to), s.outside.Load(); {
	case c != nil && c.system == s && c.postSystem(m):
	case f != nil && f.system == s:
		s.deliverSystem(to, to, m)
	case to != nil && o.local(to.Address):
		s.deliverSystem(s.registry.Get(to.ID), to, m)
	case to != nil && o.transport != nil:
		o.transport.DeliverSystem(to, m)
	default:
		s.answerFor(to, m)
	}
}

func (s *System) deliverSystem(pid, to *PID, m SystemMessage) {
	if c := cellOf(pid); c != nil && c.postSystem(m) {
		return
	}
	if t, ok := m.(*Terminated); ok && pid != nil && pid.future != nil {
		pid.future.Complete(t)
		return
	}
	s.answerFor(to, m)
}

// answerFor tells a watcher of an actor that does not exist that it has ended.
func (s *System) answerFor(to *PID, m SystemMessage) {
	if w, ok := m.(*Watch); ok {
		s.sendSystem(w.Watcher, &Terminated{Who: to, Reason: ErrNoActor})
	}
}

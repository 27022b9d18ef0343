package actor

import (
	"context"
	"time"
)

// Context is what a handler knows of the message it handles and can do with it.
// It is a value: kept or handed to another goroutine it goes on meaning the
// same message. Message, Sender, Self, System, Send, Request, RequestFuture,
// Respond, Forward and the methods of context.Context may be called from
// anywhere at any time; all others only by the handler itself.
//
// As a context.Context it is done when the actor is told to stop (a PoisonPill
// waits its turn first), when System.Suspend is called, or when the sender's
// deadline passes. Stopping and Stopped
// have a context that is never done.
type Context struct {
	cell    *cell
	message any
	sender  *PID
	meta    *Meta
	number  uint64 // of the message, in the cell's lifetime
}

var _ context.Context = Context{}

// Message is what the actor was sent.
//
// Neither it nor Sender is inlined, for that copies the whole Context, in pieces larger
// than those in which it has just been stored: the processor then waits until they,
// and all that was stored before, are in its cache. A tell takes 0.8 of the time.
//
//go:noinline
func (c Context) Message() any { return c.message }

// Sender is where a reply goes, or nil.
//
//go:noinline
func (c Context) Sender() *PID { return c.sender }

// Self is the actor's PID.
func (c Context) Self() *PID { return &c.cell.pid }

// System is where the actor lives.
func (c Context) System() *System { return c.cell.system }

// Header returns what the sender put under key, or "".
func (c Context) Header(key string) string {
	if c.meta == nil {
		return ""
	}
	return c.meta.Header[key]
}

// Envelope is the message with all that came with it.
func (c Context) Envelope() Envelope { return Envelope{c.message, c.sender, c.meta} }

// WithMessage returns c with another message, for middleware.
func (c Context) WithMessage(message any) Context {
	c.message = message
	return c
}

// Send sends message to an actor; nobody can reply to it.
func (c Context) Send(to *PID, message any) { c.send(to, Envelope{Message: message}) }

// Request sends message to an actor, whose reply comes as a message to Self.
func (c Context) Request(to *PID, message any) {
	c.send(to, Envelope{Message: message, Sender: c.Self()})
}

// RequestFuture sends message to an actor and returns its reply to come; 0 as
// time-out means none.
func (c Context) RequestFuture(to *PID, message any, timeout time.Duration) *Future {
	f := c.cell.system.NewFuture(timeout)
	c.send(to, f.envelope(message))
	return f
}

// Respond sends message to the sender. An error makes the sender's wait fail
// with it. Without a sender the message is a dead letter.
func (c Context) Respond(message any) {
	c.send(c.sender, Envelope{Message: message})
}

// Forward sends the message on as if its sender had sent it there.
func (c Context) Forward(to *PID) { c.send(to, c.Envelope()) }

func (c Context) send(to *PID, e Envelope) {
	if c.cell.wraps {
		chain(c.cell.props.senders, sendFrom)(c, to, e)
		return
	}
	sendFrom(c, to, e)
}

func sendFrom(from Context, to *PID, e Envelope) {
	if g := from.cell.guarded; g != nil && to != nil && to.Equal(from.sender) {
		g.replies.Put(g, from.number, reply{to, e})
		return
	}
	_ = from.cell.system.SendEnvelope(to, e) // what is refused becomes a dead letter or fails the future
}

// Actor is the instance that handles the message.
func (c Context) Actor() Actor { return c.cell.actor }

// Parent is the PID of the actor that spawned this one, nil for a root actor.
func (c Context) Parent() *PID {
	if c.cell.parent == nil {
		return nil
	}
	return &c.cell.parent.pid
}

// Children lists the actors that this one spawned and that have not ended.
func (c Context) Children() []*PID {
	if c.cell.more == nil {
		return nil
	}
	pids := make([]*PID, 0, len(c.cell.more.children))
	for child := range c.cell.more.children {
		pids = append(pids, &child.pid)
	}
	return pids
}

// Spawn starts a child under a name of its own, or returns nil if the actor has
// stopped.
func (c Context) Spawn(p *Props) *PID {
	pid, _ := c.SpawnNamed(p, "")
	return pid
}

// SpawnNamed starts a child called name, unique among the children; "" picks a
// name. It fails with ErrNameTaken or ErrStopped.
func (c Context) SpawnNamed(p *Props, name string) (*PID, error) {
	return chain(c.cell.props.spawners, spawnFrom)(c, p, name)
}

func spawnFrom(from Context, p *Props, name string) (*PID, error) {
	parent := from.cell
	if parent.phase == ended {
		return nil, ErrStopped
	}
	if name == "" {
		name = parent.system.nextID("$")
	}
	child, err := parent.system.spawn(p, parent, parent.pid.ID+"/"+name)
	if err != nil {
		return nil, err
	}
	more := parent.extra()
	if more.children == nil {
		more.children = make(map[*cell]struct{}, 1)
	}
	more.children[child] = struct{}{}
	child.wake()
	if parent.phase >= stopping {
		parent.stopChild(child)
	}
	return &child.pid, nil
}

// Stop ends an actor after the message that it is handling.
func (c Context) Stop(pid *PID) { c.cell.system.Stop(pid) }

// Poison ends an actor after the messages that it has been sent.
func (c Context) Poison(pid *PID) { c.Send(pid, &PoisonPill{}) }

// Watch has *Terminated sent to Self when the actor ends, at once if there is
// none. Children are watched anyway.
func (c Context) Watch(pid *PID) {
	more := c.cell.extra()
	if more.watching == nil {
		more.watching = make(map[pidKey]*PID, 1)
	}
	more.watching[pid.key()] = pid
	c.cell.system.sendSystem(pid, &Watch{Watcher: c.Self()})
}

// Unwatch takes a Watch back; no *Terminated of that actor comes after it.
func (c Context) Unwatch(pid *PID) {
	if c.cell.more != nil {
		delete(c.cell.more.watching, pid.key())
	}
	c.cell.system.sendSystem(pid, &Unwatch{Watcher: c.Self()})
}

// SetReceiveTimeout has *ReceiveTimeout sent to Self whenever no message came
// for d after the last was handled; 0 means never.
func (c Context) SetReceiveTimeout(d time.Duration) { c.cell.setReceiveTimeout(d) }

// CancelReceiveTimeout takes SetReceiveTimeout back.
func (c Context) CancelReceiveTimeout() { c.cell.cancelReceiveTimeout() }

// Become has receive handle the messages from now on, until a restart.
func (c Context) Become(receive ReceiveFunc) { c.cell.become([]ReceiveFunc{receive}) }

// BecomeStacked is Become until Unbecome.
func (c Context) BecomeStacked(receive ReceiveFunc) {
	c.cell.become(append(c.cell.extra().behaviors, receive))
}

// Unbecome goes back to what handled messages before the last Become.
func (c Context) Unbecome() {
	if b := c.cell.extra().behaviors; len(b) > 0 {
		c.cell.become(b[:len(b)-1])
	}
}

// Stash keeps the message for later.
func (c Context) Stash() {
	c.cell.extra().stash.Add(c.message, attached{c.sender, c.meta})
}

// UnstashAll has the stashed messages handled next, in the order in which they
// were stashed. A restart does the same.
func (c Context) UnstashAll() { c.cell.unstash() }

// ReenterAfter has then called with what f yields, as a message of this actor:
// the handler goes on without blocking its worker. It is not called if the
// actor has ended or restarted by then. If it was suspended meanwhile, c is done
// as a context, though it can still respond.
func (c Context) ReenterAfter(f *Future, then func(value any, err error)) {
	incarnation := c.cell.incarnation
	f.onDone(func(value any, err error) {
		again := &continuation{then, value, err, incarnation, c.number}
		_ = c.cell.post(Envelope{Message: again, Sender: c.sender, Meta: c.meta})
	})
}

// continuation is the message that ReenterAfter sends.
type continuation struct {
	then        func(value any, err error)
	value       any
	err         error
	incarnation uint32 // whose state then knows
	number      uint64 // of the message whose Context then knows
}

// Deadline is when the sender stops waiting.
func (c Context) Deadline() (time.Time, bool) {
	if c.meta == nil || c.meta.Deadline.IsZero() {
		return time.Time{}, false
	}
	return c.meta.Deadline, true
}

// Done is closed when the actor is to stop, at System.Suspend, or when the
// deadline passes.
func (c Context) Done() <-chan struct{} { return c.scope().Done() }

// Err says why Done is closed: context.Canceled or DeadlineExceeded.
func (c Context) Err() error { return c.scope().Err() }

// Value returns what WithValue put into the actor's Props under key, or nil.
func (c Context) Value(key any) any {
	if key == (cellKey{}) {
		return c.cell
	}
	for _, v := range c.cell.props.values {
		if v.key == key {
			return v.value
		}
	}
	if c.endless() {
		return nil
	}
	deadline, _ := c.Deadline()
	return c.cell.life.Value(c.number, deadline, key) // package context finds its own there
}

// scope returns what ends when the actor is told to stop or is suspended, or at
// the deadline.
func (c Context) scope() context.Context {
	if c.endless() {
		return context.Background() //nolint:forbidigo // it has no end
	}
	deadline, _ := c.Deadline()
	return c.cell.life.Context(c.number, deadline)
}

// endless tells Stopping and Stopped, which are handled after the end.
func (c Context) endless() bool {
	switch c.message.(type) {
	case *Stopping, *Stopped:
		return true
	}
	return false
}

type cellKey struct{}

package remote

import (
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/wire"
)

const localAddress = "local" // what PIDs have that were made before Start

// Deliver queues a message for an actor of another node. It implements
// actor.Transport.
func (r *Remote) Deliver(to *actor.PID, e actor.Envelope) error {
	reply := to.IsFuture()
	l, err := r.endpoint.Link(to.Address, reply)
	if err != nil {
		return err
	}
	p := wire.Parcel{Target: to.ID, Reply: reply, Meta: e.Meta}
	if e.Sender != nil {
		sender := r.own(e.Sender, e.Meta)
		if p.Sender = r.system.Publish(sender); p.Sender == "" {
			return wire.Fault(actor.ErrNotDelivered, "nobody waits for the reply any more")
		}
		if p.Future = actor.FutureOf(sender); p.Future != nil {
			p.Future.SetRoute(l)
		}
	}
	return l.Push(&p, e.Message)
}

// own returns sender, or if it belongs to a third node a future that passes
// the reply on to it: no node speaks for the actors of another.
func (r *Remote) own(sender *actor.PID, meta *actor.Meta) *actor.PID {
	if a := sender.Address; a == "" || a == localAddress || a == r.Address() {
		return sender
	}
	wait := time.Minute
	if meta != nil && !meta.Deadline.IsZero() {
		wait = max(time.Until(meta.Deadline), 1)
	}
	f := r.system.NewFuture(wait)
	f.PipeTo(sender)
	return f.PID()
}

// Undelivered publishes that a message for an actor of another node was refused
// later, or came back.
func (r inbound) Undelivered(address string, m wire.Message, reason error) {
	letter := &actor.DeadLetter{To: actor.NewPID(address, m.To), Message: m.Message, Reason: reason}
	if m.From != "" {
		letter.Sender = actor.NewPID(r.Address(), m.From)
	}
	r.system.Events().Publish(letter)
}

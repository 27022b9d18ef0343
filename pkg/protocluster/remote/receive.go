package remote

import (
	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/remotepb"
	"github.com/protocluster/workshop/pkg/protocluster/internal/link"
	"github.com/protocluster/workshop/pkg/protocluster/internal/wire"
)

// inbound is a Remote as other nodes reach it, over its links. It implements
// link.Node.
type inbound struct{ *Remote }

// Receive hands each message of a batch to its actor. A message that comes to
// nothing is returned, with the reason, and the others are not disturbed.
func (r inbound) Receive(from link.Peer, batch *wire.Reader) (bounces []*remotepb.Signal) {
	for batch.Next() {
		if batch.HandRun(r.system) {
			continue
		}
		m, err := batch.Message()
		if err == nil {
			err = r.hand(from, m)
		}
		if err != nil {
			bounces = append(bounces, r.endpoint.Bounce(m, err))
		}
	}
	return bounces
}

func (r inbound) hand(from link.Peer, m wire.Message) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = wire.Fault(ErrMalformed, "handing over a message panicked: %v", v)
		}
	}()
	stop, isStop := m.Message.(*actor.Stop)
	_, isPoison := m.Message.(*actor.PoisonPill)
	switch {
	case (isStop || isPoison) && from.Client && !r.config.ClientsMayStop:
		return wire.Fault(ErrForbidden, "clients may not stop actors of %s; Config.ClientsMayStop would let them", r.Address())
	case isStop:
		r.system.ReceiveSystem(m.To, stop)
		return nil
	}
	return r.system.Receive(m.To, m.Envelope)
}

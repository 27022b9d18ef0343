package cluster

import (
	"context"
	"errors"
	"fmt"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/background"
	"github.com/protocluster/workshop/pkg/protocluster/internal/hops"
	"github.com/protocluster/workshop/pkg/protocluster/internal/lots"
)

// parkingLimit is how many messages wait for an identity, beside those that an
// eviction gave back.
const parkingLimit = 1024

// parking keeps the messages for actors that have just ended, or that live
// elsewhere by now, until they reach the identity's next activation.
type parking struct {
	node  *node
	tasks *background.Tasks
	lots  *lots.Lots[Identity, actor.Envelope]
}

func newParking(n *node, tasks *background.Tasks) *parking {
	p := &parking{node: n, tasks: tasks}
	p.lots = lots.New[Identity, actor.Envelope](tasks, parkingLimit, p.empty)
	return p
}

// missing takes a message for an actor of this node that is not there.
func (p *parking) missing(grain string, e actor.Envelope) (taken bool) {
	id, ok := parseGrain(grain)
	if !ok {
		return false
	}
	if _, pill := e.Message.(*actor.PoisonPill); pill {
		return true // it is meant for the actor that has ended
	}
	p.node.cache.Remove(id, p.node.here(id))
	return p.lots.Park(id, e)
}

// requeue takes what an activation left behind; it goes ahead of what came
// since.
func (p *parking) requeue(id Identity, es []actor.Envelope, progress bool) {
	back, many := hops.Next(es, progress)
	p.node.refuse(id, many, hops.ErrTooMany)
	if len(back) > 0 && !p.lots.PutBack(id, back) {
		p.node.refuse(id, back, ErrClosed)
	}
}

// empty delivers the messages of id that wait.
func (p *parking) empty(ctx context.Context, id Identity) {
	_, err := p.node.call(ctx, id, func(pid *actor.PID) (any, error) {
		for _, e := range p.lots.Take(id) {
			p.forward(id, pid, e)
		}
		return nil, nil
	})
	if err != nil {
		p.node.refuse(id, p.lots.Take(id), err)
	}
}

// forward sends e to where id lives. An asker of another node is told to ask
// again there, so that it knows what becomes of its request.
func (p *parking) forward(id Identity, pid *actor.PID, e actor.Envelope) {
	n, here, made := p.node, p.node.system.Address(), hops.Of(e)
	if pid.Address != here {
		made++
	}
	switch {
	case made > hops.Most:
		n.refuse(id, []actor.Envelope{e}, hops.ErrTooMany)
	case pid.Address != here && e.Sender.IsFuture() && e.Sender.Address != here:
		n.refuse(id, []actor.Envelope{e}, fmt.Errorf("cluster: %s moved to %s", id.text(), pid.Address))
	default:
		_ = n.system.SendEnvelope(pid, hops.With(e, made)) // what is refused there is told to whom it concerns
	}
}

// refuse tells whoever should know that messages for id were not delivered.
func (n *node) refuse(id Identity, es []actor.Envelope, why error) {
	if !errors.Is(why, actor.ErrNotDelivered) {
		why = fmt.Errorf("%w: %w", actor.ErrNotDelivered, why)
	}
	for _, e := range es {
		n.system.Refuse(n.here(id), e, why)
	}
}

// here is the PID that id has if it lives on this node.
func (n *node) here(id Identity) *actor.PID { return actor.NewPID(n.system.Address(), id.grain()) }

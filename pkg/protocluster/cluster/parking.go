package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"sync"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/background"
)

const (
	parkingLimit = 1024 // messages that wait for an identity, beside those that an eviction gave back
	hopsHeader   = "protocluster-hops"
	mostHops     = 16 // nodes that hand a message on, and activations that end before they served anything
)

// parking keeps the messages for actors that have just ended, or that live
// elsewhere by now, until they reach the identity's next activation.
type parking struct {
	node  *node
	tasks *background.Tasks

	mu   sync.Mutex
	lots map[Identity][]actor.Envelope // each has a task that empties it
}

func newParking(n *node, tasks *background.Tasks) *parking {
	return &parking{node: n, tasks: tasks, lots: make(map[Identity][]actor.Envelope)}
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
	p.node.cache.remove(id, p.node.here(id))
	return p.park(id, e)
}

func (p *parking) park(id Identity, e actor.Envelope) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	lot := p.lots[id]
	if len(lot) >= parkingLimit || !p.attend(id) {
		return false
	}
	p.lots[id] = append(lot, e)
	return true
}

// requeue takes what an activation left behind; it goes ahead of what came
// since.
func (p *parking) requeue(id Identity, es []actor.Envelope, progress bool) {
	back := es[:0]
	for _, e := range es {
		hops := hopsOf(e) + 1
		if progress {
			hops = 0
		}
		if hops > mostHops {
			p.node.refuse(id, []actor.Envelope{e}, errHops)
			continue
		}
		back = append(back, hopped(e, hops))
	}
	if len(back) > 0 && !p.prepend(id, back) {
		p.node.refuse(id, back, ErrClosed)
	}
}

func (p *parking) prepend(id Identity, es []actor.Envelope) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.attend(id) {
		return false
	}
	p.lots[id] = append(es, p.lots[id]...)
	return true
}

// attend makes sure that a task empties the lot of id; p.mu is held.
func (p *parking) attend(id Identity) bool {
	if _, busy := p.lots[id]; busy {
		return true
	}
	if p.tasks.Go("deliver", func(ctx context.Context) { p.empty(ctx, id) }) == nil {
		return false
	}
	p.lots[id] = nil
	return true
}

// empty delivers the messages of id until none is left.
func (p *parking) empty(ctx context.Context, id Identity) {
	for p.waiting(id) {
		_, err := p.node.call(ctx, id, Call{}, func(_ context.Context, pid *actor.PID) (any, error) {
			for _, e := range p.claim(id) {
				p.forward(id, pid, e)
			}
			return nil, nil
		})
		if err != nil {
			p.node.refuse(id, p.claim(id), err)
		}
	}
}

// waiting reports whether something waits for id, or closes the lot.
func (p *parking) waiting(id Identity) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.lots[id]) == 0 {
		delete(p.lots, id)
		return false
	}
	return true
}

// claim takes over what waits for id. An activation that begins does so too,
// so that it serves something however soon it is evicted.
func (p *parking) claim(id Identity) []actor.Envelope {
	p.mu.Lock()
	defer p.mu.Unlock()
	es := p.lots[id]
	if len(es) > 0 {
		p.lots[id] = nil
	}
	return es
}

// forward sends e to where id lives. An asker of another node is told to ask
// again there, so that it knows what becomes of its request.
func (p *parking) forward(id Identity, pid *actor.PID, e actor.Envelope) {
	n, here := p.node, p.node.system.Address()
	hops := hopsOf(e)
	if pid.Address != here {
		hops++
	}
	switch {
	case hops > mostHops:
		n.refuse(id, []actor.Envelope{e}, errHops)
	case pid.Address != here && e.Sender.IsFuture() && e.Sender.Address != here:
		n.refuse(id, []actor.Envelope{e}, fmt.Errorf("cluster: %s moved to %s", id.text(), pid.Address))
	default:
		_ = n.system.SendEnvelope(pid, hopped(e, hops)) // what is refused there is told to whom it concerns
	}
}

var errHops = errors.New("cluster: handed on too often, or each activation ended before it served anything")

func hopsOf(e actor.Envelope) int {
	if e.Meta == nil {
		return 0
	}
	hops, _ := strconv.Atoi(e.Meta.Header[hopsHeader])
	return hops
}

// hopped returns e with another number of hops.
func hopped(e actor.Envelope, hops int) actor.Envelope {
	if hopsOf(e) == hops {
		return e
	}
	meta := actor.Meta{Header: map[string]string{}}
	if e.Meta != nil {
		meta.Deadline = e.Meta.Deadline
		maps.Copy(meta.Header, e.Meta.Header)
	}
	meta.Header[hopsHeader] = strconv.Itoa(hops)
	e.Meta = &meta
	return e
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

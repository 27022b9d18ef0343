package remote

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/remotepb"
)

const (
	localAddress = "local" // what PIDs have that were made before Start
	maxWatchIDs  = 64 << 10
	maxDead      = 1024
)

// Deliver queues a message for an actor of another node. It implements
// actor.Transport.
func (r *Remote) Deliver(to *actor.PID, e actor.Envelope) error {
	l, err := r.link(to.Address)
	if err != nil {
		return err
	}
	p := parcel{target: to.ID, meta: e.Meta}
	if e.Sender != nil {
		sender := r.own(e.Sender, e.Meta)
		if p.sender = r.system.Publish(sender); p.sender == "" {
			return fault(actor.ErrNotDelivered, "nobody waits for the reply any more")
		}
		if p.future = actor.FutureOf(sender); p.future != nil {
			p.future.SetRoute(l)
		}
	}
	buf := r.buffers.Get().(*[]byte)
	defer r.buffers.Put(buf)
	if p.typ, p.payload, err = r.types.encode((*buf)[:0], e.Message); err != nil {
		return err
	}
	if cap(p.payload) <= batchBytes {
		*buf = p.payload
	}
	if err := p.check(r.config.MaxMessageBytes); err != nil {
		return err
	}
	return l.lane(to.ID).push(p)
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

// DeliverSystem implements actor.Transport.
func (r *Remote) DeliverSystem(to *actor.PID, m actor.SystemMessage) {
	switch m := m.(type) {
	case *actor.Stop:
		if err := r.Deliver(to, actor.Envelope{Message: m}); err != nil {
			r.system.Events().Publish(&actor.DeadLetter{To: to, Message: m, Reason: err})
		}
	case *actor.Watch:
		w := watch{watcher: r.system.Publish(m.Watcher), watched: to.ID}
		if err := r.watch(to.Address, w); err != nil {
			r.system.ReceiveSystem(w.watcher, &actor.Terminated{Who: to, Reason: err})
		}
	case *actor.Unwatch:
		w := watch{watcher: r.system.Publish(m.Watcher), watched: to.ID}
		if _, l := r.known(to.Address); l != nil && l.unwatch(w) {
			if s, _ := l.peer(); s != nil {
				s.signal(remotepb.Signal_UNWATCH, w.watched, w.watcher, nil)
			}
		}
	case *actor.Terminated:
		s, l := r.known(to.Address)
		if s == nil && l != nil {
			s, _ = l.peer()
		}
		if s != nil {
			s.tellEnd(watch{watcher: to.ID, watched: m.Who.ID}, m.Reason)
		}
	}
}

func (r *Remote) watch(address string, w watch) error {
	if !utf8.ValidString(w.watched+w.watcher) || len(w.watched)+len(w.watcher) > maxWatchIDs {
		return fault(ErrMalformed, "ids of watched actors must be valid UTF-8 of at most %d bytes", maxWatchIDs)
	}
	l, err := r.link(address)
	if err != nil {
		return err
	}
	return l.watch(w)
}

// known is what this node has with the one at address: a session that it
// opened, and a link.
func (r *Remote) known(address string) (*session, *link) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.accepted[address], r.links[address]
}

// link returns the link to address, and makes it if a message may go there.
func (r *Remote) link(address string) (*link, error) {
	s, l := r.known(address)
	switch {
	case l != nil && (!l.over() || !l.tidy()):
		return l, nil
	case strings.HasPrefix(address, clientPrefix):
		return nil, fault(ErrUnreachable, "%s is a client that is not connected to this node", address)
	case s == nil && r.config.DialFilter != nil:
		if err := r.config.DialFilter(address); err != nil {
			return nil, fault(ErrUnreachable, "%s may not be dialled: %v", address, err)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.phase != running {
		return nil, r.stopping()
	}
	if now := r.links[address]; now != nil && now != l {
		return now, nil
	}
	l = newLink(r, address, false, r.config.Lanes)
	r.links[address] = l
	r.run(l)
	return l, nil
}

// Disconnect gives up the node that had systemID at address: its link is
// closed, requests under way fail with ErrUnknownOutcome, watchers of its
// actors get *Terminated with reason, and it is not connected to again. An
// empty systemID means whichever node is there, and holds nothing against it.
func (r *Remote) Disconnect(address, systemID string, reason error) {
	reason = fmt.Errorf("%w: %s was given up: %w", ErrUnreachable, address, reason)
	r.mu.Lock()
	if systemID != "" {
		for id := range r.dead {
			if len(r.dead) < maxDead {
				break
			}
			delete(r.dead, id) // whichever: it is long gone
		}
		r.dead[systemID] = reason
	}
	r.mu.Unlock()
	s, l := r.known(address)
	if s != nil && (systemID == "" || s.system == systemID) {
		s.fail(reason)
	}
	if l != nil {
		if _, system := l.peer(); systemID == "" || system == "" || system == systemID {
			l.close(reason, 0)
		}
	}
}

// alive reports, as an error, that a system is gone for good.
func (r *Remote) alive(system string) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if why, dead := r.dead[system]; dead {
		return status.Errorf(codes.FailedPrecondition, "remote: node %s: %v", system, why)
	}
	return nil
}

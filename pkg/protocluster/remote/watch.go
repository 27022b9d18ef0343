package remote

import (
	"unicode/utf8"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/link"
	"github.com/protocluster/workshop/pkg/protocluster/internal/wire"
)

const maxWatchIDs = 64 << 10 // bytes of the ids of a watch

// DeliverSystem sends what is no message: a Stop in its turn, and watches. The
// endpoint remembers a watch for as long as the link lives, tells the peer again
// after each new connection, and when the link is given up or the peer was
// restarted reports the actor terminated. It implements actor.Transport.
func (r *Remote) DeliverSystem(to *actor.PID, m actor.SystemMessage) {
	switch m := m.(type) {
	case *actor.Stop:
		if err := r.Deliver(to, actor.Envelope{Message: m}); err != nil {
			r.system.Events().Publish(&actor.DeadLetter{To: to, Message: m, Reason: err})
		}
	case *actor.Watch:
		w := link.Watch{Watcher: r.system.Publish(m.Watcher), Watched: to.ID}
		if err := r.watch(to.Address, w); err != nil {
			r.system.ReceiveSystem(w.Watcher, &actor.Terminated{Who: to, Reason: err})
		}
	case *actor.Unwatch:
		r.endpoint.Unwatch(to.Address, link.Watch{Watcher: r.system.Publish(m.Watcher), Watched: to.ID})
	case *actor.Terminated:
		r.endpoint.Terminate(to.Address, link.Watch{Watcher: to.ID, Watched: m.Who.ID}, m.Reason)
	}
}

func (r *Remote) watch(address string, w link.Watch) error {
	if !utf8.ValidString(w.Watched+w.Watcher) || len(w.Watched)+len(w.Watcher) > maxWatchIDs {
		return wire.Fault(ErrMalformed, "ids of watched actors must be valid UTF-8 of at most %d bytes", maxWatchIDs)
	}
	l, err := r.endpoint.Link(address, false)
	if err != nil {
		return err
	}
	return l.Watch(w)
}

// Watched has an actor at address told of the end of one here.
func (r inbound) Watched(address string, w link.Watch) {
	r.system.ReceiveSystem(w.Watched, &actor.Watch{Watcher: actor.NewPID(address, w.Watcher)})
}

// Unwatched takes that back.
func (r inbound) Unwatched(address string, w link.Watch) {
	r.system.ReceiveSystem(w.Watched, &actor.Unwatch{Watcher: actor.NewPID(address, w.Watcher)})
}

// Terminated tells an actor here that one at address, which it watches, is gone.
func (r inbound) Terminated(address string, w link.Watch, reason error) {
	r.system.ReceiveSystem(w.Watcher, &actor.Terminated{Who: actor.NewPID(address, w.Watched), Reason: reason})
}

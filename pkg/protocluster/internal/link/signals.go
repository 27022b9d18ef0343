package link

import (
	"strings"

	"google.golang.org/grpc/codes"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/remotepb"
	"github.com/protocluster/workshop/pkg/protocluster/internal/wire"
)

const maxWatches = 10_000 // by the actors of one client

// signal queues what must not get lost: if too much waits, the session ends,
// and the next one begins with what is true then.
func (s *session) signal(kind remotepb.Signal_Kind, to, from string, err error) {
	if !s.control.push(&remotepb.Signal{Kind: kind, To: to, From: from, Failure: wire.PackFailure(err)}) {
		s.fail(wire.Fault(wire.ErrUnreachable, "%s does not read what it is told", s.Address))
	}
}

// Bounce is what the peer is told of its message m, which came to nothing.
func (e *Endpoint) Bounce(m wire.Message, err error) *remotepb.Signal {
	f := wire.PackFailure(err)
	e.Reject(strings.ToLower(strings.ReplaceAll(f.Code.String(), "_", " ")))
	return &remotepb.Signal{Kind: remotepb.Signal_BOUNCE, To: m.From, From: m.To, Type: m.Type, Failure: f}
}

// readControl handles a frame of the control stream.
func (s *session) readControl(f *inbound) error {
	if f.Hello != nil || f.Join != nil || f.Batch != nil {
		return s.e.violation("wrong frame", codes.InvalidArgument, "the control stream carries signals only")
	}
	signals, err := wire.ReadSignals(f.Signals)
	if err != nil {
		return s.e.violation("malformed signals", codes.InvalidArgument, "malformed signals: %v", err)
	}
	for _, signal := range signals {
		w := Watch{Watcher: signal.From, Watched: signal.To}
		switch signal.Kind {
		case remotepb.Signal_WATCH:
			s.watch(w)
		case remotepb.Signal_UNWATCH:
			s.unwatch(w)
			s.e.node.Unwatched(s.Address, w)
		case remotepb.Signal_TERMINATED:
			s.terminated(signal)
		case remotepb.Signal_BOUNCE:
			s.bounced(signal)
		default:
			s.e.Reject("unknown signal")
		}
	}
	return nil
}

// watch has an actor of the peer told of the end of one here.
func (s *session) watch(w Watch) {
	s.mu.Lock()
	full := s.Client && len(s.watches) >= maxWatches
	if !full && s.watches != nil {
		s.watches[w] = true
	}
	s.mu.Unlock()
	if full {
		s.e.Reject("too many watches")
		s.signal(remotepb.Signal_TERMINATED, w.Watcher, w.Watched,
			wire.Fault(wire.ErrForbidden, "a client may watch %d actors", maxWatches))
		return
	}
	s.e.node.Watched(s.Address, w)
}

// unwatch takes a watch of the peer back; false if there was none.
func (s *session) unwatch(w Watch) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	watched := s.watches[w]
	delete(s.watches, w)
	return watched
}

// terminated tells an actor here that one of the peer, which it watches, has
// ended.
func (s *session) terminated(signal *remotepb.Signal) {
	w := Watch{Watcher: signal.To, Watched: signal.From}
	if s.link == nil || !s.link.unwatch(w) {
		s.e.Reject("terminated without watch") // or it was taken back meanwhile
		return
	}
	s.e.node.Terminated(s.Address, w, wire.UnpackFailure(signal.Failure))
}

// bounced handles what became of a message that was sent over this session.
func (s *session) bounced(signal *remotepb.Signal) {
	err := wire.UnpackFailure(signal.Failure)
	if err == nil {
		err = actor.ErrNotDelivered
	}
	to := actor.NewPID(s.Address, signal.From)
	switch f := s.asked(signal.To); {
	case f != nil:
		f.Fail(err)
	case s.link == nil && !to.IsFuture(): // only replies went there
		s.e.Reject("bounce of nothing")
	default:
		m := wire.Message{From: signal.To, To: to.ID, Type: signal.Type}
		m.Message = wire.Bounced{Type: signal.Type}
		s.e.node.Undelivered(s.Address, m, err)
	}
}

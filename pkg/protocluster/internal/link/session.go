package link

import (
	"crypto/rand"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/remotepb"
	"github.com/protocluster/workshop/pkg/protocluster/internal/wire"
)

// stream is either end of a gRPC stream.
type stream interface {
	Send(*remotepb.Frame) error
	Recv() (*remotepb.Frame, error)
	SendMsg(any) error
	RecvMsg(any) error
}

// session is the streams of one connection: one for control, some for data. A
// node that listens is dialled for what is sent to it, but for replies, so two
// such nodes have two sessions; a client's one session serves both directions.
type session struct {
	Peer
	e       *Endpoint
	secret  string // that the peer quotes to open a data lane
	link    *Link  // holds what waits for the peer; nil if the peer is dialled for that
	replies *Link  // of this session alone, for the peer's requests; nil if link is not
	control outbox
	heard   atomic.Int64  // when the last frame came
	talking atomic.Int64  // streams on which the peer has not said goodbye
	done    chan struct{} // closed when the session has failed
	ended   chan struct{} // closed when nothing here depends on it any more

	mu      sync.Mutex
	err     error                    // why it failed
	joined  [MaxLanes]bool           // lanes that the peer opened
	asks    map[string]*actor.Future // written requests, by their senders' ids
	sweepAt int                      // size at which asks is rid of those that are complete
	watches map[Watch]bool           // of actors here by actors there
}

func newSession(e *Endpoint, p Peer, l *Link, talking int) *session {
	s := &session{
		Peer: p, e: e, link: l, secret: rand.Text(), control: outbox{limit: e.config.QueueBytes, wake: make(chan struct{}, 1)},
		done: make(chan struct{}), ended: make(chan struct{}),
		asks: map[string]*actor.Future{}, sweepAt: 64, watches: map[Watch]bool{},
	}
	s.talking.Store(int64(talking))
	s.heard.Store(time.Now().UnixNano())
	return s
}

// over reports whether the session has failed.
func (s *session) over() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// silence is how long the peer has said nothing.
func (s *session) silence() time.Duration { return time.Since(time.Unix(0, s.heard.Load())) }

// serve starts the reader and the writer of a stream. They end with the session,
// and the session with them.
func (s *session) serve(st stream, handle func(*inbound) error, write func(*session, stream) error) {
	s.e.work.Go(func() { s.fail(s.read(st, handle)) })
	s.e.work.Go(func() {
		if err := write(s, st); err != nil {
			s.fail(err)
		}
	})
}

func (s *session) serveLane(st stream, i int) {
	s.serve(st, s.laneReader(), s.outbound().lanes[i].write)
}

func (s *session) read(st stream, handle func(*inbound) error) (err error) {
	defer s.e.survive(&err)
	var f inbound
	defer f.release()
	for {
		f.release()
		err := st.RecvMsg(&f)
		if err != nil {
			if status.Code(err) == codes.ResourceExhausted {
				s.e.Reject("oversized frame")
			}
			return err
		}
		s.heard.Store(time.Now().UnixNano())
		if !f.Goodbye {
			err = handle(&f)
		} else if s.talking.Add(-1) == 0 {
			err = wire.Fault(actor.ErrStopped, "%s has left", s.Address)
			if s.link != nil {
				s.link.close(err, 0)
			}
		}
		if err != nil {
			return err
		}
	}
}

// outbound is what leaves on the session's lanes.
func (s *session) outbound() *Link {
	if s.link != nil {
		return s.link
	}
	return s.replies
}

// laneReader returns the handler of a data lane's frames.
func (s *session) laneReader() func(*inbound) error {
	batch := wire.NewReader(s.e.config.Types, s.Address)
	return func(f *inbound) error {
		if f.Batch == nil {
			return s.e.violation("wrong frame", codes.InvalidArgument, "a data lane carries batches only")
		}
		if err := batch.Read(f.Batch); err != nil {
			return s.e.violation("malformed batch", codes.InvalidArgument, "malformed batch: %v", err)
		}
		for _, bounce := range s.e.node.Receive(s.Peer, batch) {
			if !s.control.push(bounce) {
				s.e.Reject("bounce dropped")
			}
		}
		return nil
	}
}

// fail ends the session, unless it has ended already.
func (s *session) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
		close(s.done)
	}
}

// end clears up after the session has failed: requests without a reply have an
// unknown outcome, and the peer's actors watch nothing here any more.
func (s *session) end() {
	s.mu.Lock()
	asks, watches := s.asks, s.watches
	s.asks, s.watches = nil, nil
	s.mu.Unlock()
	for _, f := range asks {
		f.Fail(s.broken())
	}
	for w := range watches {
		s.e.node.Unwatched(s.Address, w)
	}
	if s.replies != nil {
		s.replies.close(wire.Fault(wire.ErrUnreachable, "the connection to %s ended before the reply was sent: %s",
			s.Address, reason(s.err)), 0)
	}
	s.e.forget(s)
	close(s.ended)
}

// broken is what becomes of a request that was sent over a session which has
// failed.
func (s *session) broken() error {
	<-s.done
	return wire.Fault(actor.ErrUnknownOutcome, "the connection to %s ended after the request was sent: %s", s.Address, reason(s.err))
}

// track remembers the futures of a batch that is about to be written.
func (s *session) track(b *wire.Batch) {
	if len(b.Asks) == 0 {
		return
	}
	s.mu.Lock()
	ended := s.asks == nil
	for _, a := range b.Asks {
		if !ended {
			s.asks[b.Asker(a)] = a.Future
		}
	}
	if len(s.asks) > s.sweepAt {
		for id, f := range s.asks {
			if f.Completed() {
				delete(s.asks, id)
			}
		}
		s.sweepAt = 64 + 2*len(s.asks)
	}
	s.mu.Unlock()
	for _, a := range b.Asks {
		if ended {
			a.Future.Fail(s.broken())
		}
	}
}

// asked takes the future, if it is still known, whose request came back.
func (s *session) asked(id string) *actor.Future {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.asks[id]
	delete(s.asks, id)
	return f
}

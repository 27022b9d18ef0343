package remote

import (
	"crypto/rand"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/remotepb"
)

// stream is either end of a gRPC stream.
type stream interface {
	Send(*remotepb.Frame) error
	Recv() (*remotepb.Frame, error)
}

// peer is the node at the other end of a session.
type peer struct {
	address string // that its actors' PIDs have here
	system  string // its id, new at each start
	client  bool   // it does not listen
	limit   int    // of bytes that it takes in one message
}

// session is the streams of one connection: one for control, some for data. A
// node that listens is dialled for what is sent to it, so two such nodes have
// two sessions; a client's one session serves both directions.
type session struct {
	peer
	r       *Remote
	secret  string // that the peer quotes to open a data lane
	link    *link  // holds what waits for the peer; nil if the peer is dialled for that
	control outbox
	heard   atomic.Int64  // when the last frame came
	talking atomic.Int64  // streams on which the peer has not said goodbye
	done    chan struct{} // closed when the session has failed
	ended   chan struct{} // closed when nothing here depends on it any more

	mu      sync.Mutex
	err     error                    // why it failed
	joined  [maxLanes]bool           // lanes that the peer opened
	asks    map[string]*actor.Future // written requests, by their senders' ids
	sweepAt int                      // size at which asks is rid of those that are complete
	watches map[watch]bool           // of actors here by actors there
}

// watch is an actor's watch over another, by their ids.
type watch struct{ watcher, watched string }

func newSession(r *Remote, p peer, l *link, talking int) *session {
	s := &session{
		peer: p, r: r, link: l, secret: rand.Text(), control: outbox{limit: r.config.QueueBytes, wake: make(chan struct{}, 1)},
		done: make(chan struct{}), ended: make(chan struct{}),
		asks: map[string]*actor.Future{}, sweepAt: 64, watches: map[watch]bool{},
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

// serve starts the reader of a stream, and its writer if it has one. They end
// with the session, and the session with them.
func (s *session) serve(st stream, handle func(*remotepb.Frame) error, write func(*session, stream) error) {
	s.r.work.Go(func() { s.fail(s.read(st, handle)) })
	if write != nil {
		s.r.work.Go(func() {
			if err := write(s, st); err != nil {
				s.fail(err)
			}
		})
	}
}

func (s *session) serveLane(st stream, i int) {
	var write func(*session, stream) error
	if s.link != nil {
		write = s.link.lanes[i].write
	}
	s.serve(st, s.readLane, write)
}

func (s *session) read(st stream, handle func(*remotepb.Frame) error) (err error) {
	defer s.r.survive(&err)
	for {
		f, err := st.Recv()
		if err != nil {
			if status.Code(err) == codes.ResourceExhausted {
				s.r.reject("oversized frame")
			}
			return err
		}
		s.heard.Store(time.Now().UnixNano())
		if !f.Goodbye {
			err = handle(f)
		} else if s.talking.Add(-1) == 0 {
			err = fault(actor.ErrStopped, "%s has left", s.address)
			if s.link != nil {
				s.link.close(err, 0)
			}
		}
		if err != nil {
			return err
		}
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
		s.r.system.ReceiveSystem(w.watched, &actor.Unwatch{Watcher: actor.NewPID(s.address, w.watcher)})
	}
	s.r.forget(s)
	close(s.ended)
}

// broken is what becomes of a request that was sent over a session which has
// failed.
func (s *session) broken() error {
	<-s.done
	return fault(actor.ErrUnknownOutcome, "the connection to %s ended after the request was sent: %s", s.address, reason(s.err))
}

// track remembers the futures of a batch that is about to be written.
func (s *session) track(b *batch) {
	if len(b.asks) == 0 {
		return
	}
	s.mu.Lock()
	ended := s.asks == nil
	for _, a := range b.asks {
		if !ended {
			s.asks[b.asker(a)] = a.future
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
	for _, a := range b.asks {
		if ended {
			a.future.Fail(s.broken())
		}
	}
}

// tellEnd tells an actor of the peer of the end of one that it watched.
func (s *session) tellEnd(w watch, reason error) {
	s.mu.Lock()
	watched := s.watches[w]
	delete(s.watches, w)
	s.mu.Unlock()
	if watched {
		s.signal(remotepb.Signal_TERMINATED, w.watcher, w.watched, reason)
	}
}

// signal queues what must not get lost: if too much waits, the session ends,
// and the next one begins with what is true then.
func (s *session) signal(kind remotepb.Signal_Kind, to, from string, err error) {
	if !s.control.push(&remotepb.Signal{Kind: kind, To: to, From: from, Failure: packFailure(err)}) {
		s.fail(fault(ErrUnreachable, "%s does not read what it is told", s.address))
	}
}

package link

import (
	"context"
	"fmt"
	"hash/maphash"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/backoff"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/remotepb"
	"github.com/protocluster/workshop/pkg/protocluster/internal/names"
	"github.com/protocluster/workshop/pkg/protocluster/internal/wire"
)

const (
	minBackoff = 50 * time.Millisecond
	maxBackoff = time.Second
	smallReply = 4 << 10 // bytes
)

// state is where a link stands. It begins connecting, or idle if the peer is a
// client, and ends closed; nothing leads back from there.
type state uint8

const (
	idle       state = iota // waits for the client to connect
	connecting              // dials
	up                      // has a session
	resting                 // waits before it dials again
	closed                  // given up; messages are refused until the link is forgotten
)

// Link holds what is to be sent to one address, and gets it there.
type Link struct {
	e       *Endpoint
	address string
	passive bool // the peer is a client: it dials, this node waits
	lanes   []*lane
	queued  atomic.Int64  // bytes in all lanes
	kick    chan struct{} // dial now
	gone    chan struct{} // closed with the link

	mu      sync.Mutex
	state   state
	session *session  // while up
	system  string    // the peer's id when the link was last up
	attempt int       // to connect since it was up for a while
	heard   time.Time // from the peer; at first when the link was made
	retry   time.Time // when it no longer rests; if closed, when the link may be forgotten
	err     error     // why it is not up
	watches map[Watch]bool
}

func newLink(e *Endpoint, address string, passive bool, lanes int) *Link {
	l := &Link{e: e, address: address, passive: passive, heard: time.Now(), watches: map[Watch]bool{},
		kick: make(chan struct{}, 1), gone: make(chan struct{})}
	for range lanes {
		l.lanes = append(l.lanes, &lane{link: l, wake: make(chan struct{}, 1), turn: make(chan struct{}, 1)})
	}
	return l
}

// newReplies returns what holds replies to the requests that came over s, until
// they go back the same way. It has no state but up, and ends with s.
func newReplies(s *session, lanes int) *Link {
	l := newLink(s.e, s.Address, true, lanes)
	l.state, l.session, l.system = up, s, s.System
	return l
}

// Push packs message into p and queues it; it does not block. One lane is one
// order, so all that is sent to an actor takes the same. Replies have no order,
// and small ones make fewer and larger batches on one lane: 0.8 times the CPU time
// with 64 askers.
func (l *Link) Push(p *wire.Parcel, message any) error {
	e := l.e
	buf := e.parcels.Get().(*[]byte)
	defer e.parcels.Put(buf)
	if err := p.Pack(e.config.Types, buf, message, e.config.MaxMessageBytes); err != nil {
		return err
	}
	lane := uint64(0)
	if !p.Reply || p.Size() > smallReply {
		lane = maphash.String(e.seed, strings.TrimPrefix(p.Target, names.Hail)) % uint64(len(l.lanes))
	}
	return l.lanes[lane].push(p)
}

// run connects, and connects again, until the link is closed.
func (l *Link) run(ctx context.Context) {
	for l.dialling() {
		wait, final := l.down(l.connect(ctx))
		if final != nil {
			l.close(final, maxBackoff)
			return
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-l.kick:
		case <-l.gone:
		case <-l.e.leaving:
			l.close(l.e.stopping(), 0)
		}
		timer.Stop()
	}
}

// dialling begins an attempt, unless the link is closed.
func (l *Link) dialling() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state == closed {
		return false
	}
	l.state, l.attempt = connecting, l.attempt+1
	return true
}

// up makes s the link's session, unless the link is closed. The peer is told
// again what actors here watch, but if it is another incarnation by now, what
// they watched is gone.
func (l *Link) up(s *session) error {
	l.mu.Lock()
	if l.state == closed {
		defer l.mu.Unlock()
		return l.err
	}
	watches, restarted := maps.Clone(l.watches), l.system != "" && l.system != s.System
	if restarted {
		clear(l.watches)
	}
	l.state, l.session, l.system, l.err = up, s, s.System, nil
	l.mu.Unlock()
	for w := range watches {
		if restarted {
			l.e.node.Terminated(l.address, w, wire.Fault(actor.ErrStopped, "%s was restarted", l.address))
		} else {
			s.signal(remotepb.Signal_WATCH, w.Watched, w.Watcher, nil)
		}
	}
	return nil
}

// down takes note that a session ended, or did not come about, and says when to
// dial again, or why to give up.
func (l *Link) down(err error) (wait time.Duration, final error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state == closed {
		return 0, l.err
	}
	if s := l.session; s != nil {
		began, heard := l.heard, time.Unix(0, s.heard.Load())
		if heard.Sub(began) > maxBackoff {
			l.attempt = 0
		}
		l.session, l.heard = nil, heard
	} else if permanent(err) {
		return 0, wire.Fault(wire.ErrUnreachable, "%s refuses this node: %s", l.address, reason(err))
	}
	left := l.e.config.DeadAfter - time.Since(l.heard)
	if left <= 0 && !l.passive {
		return 0, wire.Fault(wire.ErrUnreachable, "gave up on %s after %d attempts: %s", l.address, l.attempt, reason(err))
	}
	wait = min(left, backoff.Half(backoff.Delay(l.attempt+1, minBackoff, maxBackoff)))
	if l.state, l.err, l.retry = resting, err, time.Now().Add(wait); l.passive {
		l.state = idle
	}
	return wait, nil
}

// permanent reports whether a peer's refusal will be the same next time.
func permanent(err error) bool {
	switch status.Code(err) {
	case codes.FailedPrecondition, codes.PermissionDenied, codes.InvalidArgument, codes.Unimplemented, codes.Unauthenticated:
		return true
	}
	return false
}

// reason is err without what gRPC puts before it.
func reason(err error) string { return status.Convert(err).Message() }

// close ends the link for good: what waits is refused, what is watched is lost.
// New messages to the address are refused for as long as hold.
func (l *Link) close(err error, hold time.Duration) {
	l.mu.Lock()
	if l.state == closed {
		l.mu.Unlock()
		return
	}
	s, watches := l.session, l.watches
	l.state, l.session, l.watches, l.err, l.retry = closed, nil, nil, err, time.Now().Add(hold)
	l.mu.Unlock()
	close(l.gone)
	for _, lane := range l.lanes {
		for _, b := range lane.close(err) {
			l.refuse(b, err)
		}
	}
	if s != nil {
		s.fail(err)
	}
	for w := range watches {
		l.e.node.Terminated(l.address, w, err)
	}
}

// tidy closes a link whose client has been gone for too long, and reports
// whether the link may be forgotten.
func (l *Link) tidy() bool {
	l.mu.Lock()
	state, silent, held := l.state, time.Since(l.heard) > l.e.config.DeadAfter, time.Now().Before(l.retry)
	l.mu.Unlock()
	if state == idle && silent {
		l.close(wire.Fault(wire.ErrUnreachable, "client %s has not come back within %v", l.address, l.e.config.DeadAfter), 0)
		return true
	}
	return state == closed && !held
}

// over reports whether the link is closed.
func (l *Link) over() bool {
	select {
	case <-l.gone:
		return true
	default:
		return false
	}
}

// peer is the link's session, if any, and the id of the node that it last led to.
func (l *Link) peer() (*session, string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.session, l.system
}

// refuse tells the senders of the messages in b why they were not sent.
func (l *Link) refuse(b *wire.Batch, err error) {
	for _, m := range b.Refuse(l.e.config.Types, err) {
		l.e.node.Undelivered(l.address, m, err)
	}
}

// Watch notes that an actor here watches one of the peer's, and tells it.
func (l *Link) Watch(w Watch) error {
	l.mu.Lock()
	s, err, over := l.session, l.err, l.state == closed
	if !over {
		l.watches[w] = true
	}
	l.mu.Unlock()
	switch {
	case over:
		return err
	case s != nil:
		s.signal(remotepb.Signal_WATCH, w.Watched, w.Watcher, nil)
	}
	return nil
}

// unwatch takes a watch back; false if there was none.
func (l *Link) unwatch(w Watch) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	watched := l.watches[w]
	delete(l.watches, w)
	return watched
}

// Explain says what keeps messages from being sent. It implements actor.Route.
func (l *Link) Explain() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	doing := ""
	switch l.state {
	case idle:
		doing = "waits for the client to connect again"
	case connecting:
		doing = fmt.Sprintf("is dialled, attempt %d", l.attempt)
	case up:
		doing = fmt.Sprintf("is connected but slow: %d bytes wait to be sent", l.queued.Load())
	case resting:
		doing = fmt.Sprintf("is dialled again in %v, attempt %d", time.Until(l.retry).Round(time.Millisecond), l.attempt+1)
	case closed:
		return l.err
	}
	if l.err != nil {
		doing += "; last error: " + reason(l.err)
	}
	return wire.Fault(wire.ErrUnreachable, "%s %s", l.address, doing)
}

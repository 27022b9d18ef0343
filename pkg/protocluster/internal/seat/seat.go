package seat

import (
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/background"
	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

const (
	never  = -1 << 61         // the end of a lease that there is not
	glance = time.Millisecond // for how long Serves goes by its last look at whether the machine has slept
)

// Seat is a node's place in the views of its cluster: it joins, keeps the lease,
// and joins again under another id when it was taken out of the view. Make it
// with New and have Run keep it. Its other methods may be called concurrently,
// and do not block.
type Seat struct {
	until  atomic.Int64 // when the lease ends, on clock; set before anything comes of a step
	looked atomic.Int64 // when Serves last saw, on clock, that the machine has not slept since asleep
	clock  Clock        // these three are read for each message, and share a cache line
	config Config
	zero   time.Time // when clock showed zero, by the time of day then
	tasks  *background.Tasks
	lines  *lines
	turn   chan struct{} // the node wants its turn earlier than it wanted it before
	told   chan struct{} // there is something to tell the host
	asked  chan struct{} // wish has changed
	store  storage

	asleep atomic.Int64 // how long the machine has slept, as far as that was taken in
	place  atomic.Pointer[place]
	pushed atomic.Pointer[pushed] // the last view that was

	mu      sync.Mutex
	phase   phase
	node    *sealedview.Node
	self    sealedview.Member // of node
	count   int               // of the ids used so far
	slept   time.Duration     // how long the machine has, since New
	nap     time.Duration     // until then whoever keeps the time sleeps
	edge    edge              // of the lease
	calls   []call            // of the host, in their order
	seated  *sealedview.View  // that the host knows of
	changed chan struct{}     // closed when something is worth another look, and replaced

	wish     *sealedview.Member // what is to be announced; nil is nothing
	stands   *sealedview.Member // what is
	doubtful bool               // or may not be
	writing  int                // writes of the record under way

	leaving bool // for good
	closing bool // without waiting for the host
	drained bool
	left    bool // the host knows that

	stats Stats // its counters
}

// place is where a node is. It is never modified.
type place struct {
	self string
	view *sealedview.View // nil if it is no member
}

// phase is how far Run is.
type phase uint8

const (
	fresh phase = iota
	running
	over
)

// New returns a seat that Run takes, or all that is wrong with config.
func New(config Config) (*Seat, error) {
	config, err := config.complete()
	if err != nil {
		return nil, err
	}
	s := &Seat{
		config: config, clock: config.Clock, turn: make(chan struct{}, 1), told: make(chan struct{}, 1), asked: make(chan struct{}, 1),
		changed: make(chan struct{}),
	}
	s.zero = time.Now().Add(-s.clock.Now())
	s.until.Store(never)
	s.looked.Store(never)
	s.asleep.Store(int64(s.clock.Asleep()))
	s.store.init(s)
	s.lines = newLines(&s.config, s)
	s.renew()
	return s, nil
}

// renew makes the seat's next node, under an id that was not used before.
func (s *Seat) renew() {
	s.count++
	s.self = s.config.Self
	s.self.State = sealedview.Active
	if s.count > 1 {
		s.self.ID, s.self.Was = fmt.Sprintf("%s~%d", s.config.Self.ID, s.count), s.node.Past()
	}
	s.node = sealedview.NewNode(sealedview.Config{
		Self: s.self, Mode: s.config.Mode, Cluster: rand.Text(), Params: s.config.Params,
		Started: uint64(max(0, s.zero.Add(s.slept).UnixMilli())), Stagger: s.config.Params.Renew / 5,
	})
	s.place.Store(&place{self: s.self.ID})
	wish := s.self
	s.wish = &wish
	poke(s.asked)
}

// Serves reports whether the node may dispatch messages at this instant. After
// the machine slept it may be wrong for a millisecond: to ask how long that was
// takes several times as long as to read the clock.
func (s *Seat) Serves() bool {
	now := s.clock.Now()
	if now >= time.Duration(s.until.Load()) {
		return false
	}
	return now-time.Duration(s.looked.Load()) < glance || s.awake(now)
}

// awake looks whether the machine has slept.
func (s *Seat) awake(now time.Duration) bool {
	if s.dozed() { // which ends with the next step
		poke(s.turn)
		return false
	}
	s.looked.Store(int64(now))
	return true
}

// Until is when the lease ends unless it is renewed; zero if there is none.
func (s *Seat) Until() time.Time {
	until := time.Duration(s.until.Load())
	if until == never {
		return time.Time{}
	}
	return s.zero.Add(until)
}

// Lease is what is left of the lease unless it is renewed; zero if there is none.
func (s *Seat) Lease() time.Duration {
	if !s.Serves() {
		return 0
	}
	return max(time.Until(s.Until()), 0)
}

// Answer is another member's word on one identity: that it has installed this
// view, does not hold the identity, and will not activate it under an older view.
type Answer struct {
	View   sealedview.Stamp
	Member string
}

// Claimed is what came of a Claim.
type Claimed struct {
	sealedview.Stamp          // of the installed view; zero without one
	Serves           bool     // the lease is valid
	Mine             bool     // and the view assigns the identity to this node
	Owing            []string // but these have not let go of it yet: ask them, or wait for their barriers
	// Changed is closed as soon as another Claim may turn out differently;
	// nil if hold was called.
	Changed <-chan struct{}
}

// Held reports whether hold was called.
func (c Claimed) Held() bool { return c.Mine && len(c.Owing) == 0 }

// Claim calls hold if an identity may be activated here at this instant. owner
// says whom a view assigns it to. hold registers the activation, so that the
// host knows of it when it is told of the next view: no view is installed until
// hold returns, so neither may block or call the seat. epoch is that of the
// installed view, for fencing tokens. Answers stand in for the barriers of those
// who gave them, for this identity. Until Host.Seated has returned from a view
// nothing is claimed under it.
func (s *Seat) Claim(owner func(*sealedview.View) string, hold func(epoch uint64), answers ...Answer) Claimed {
	c, todo := s.claim(owner, hold, answers)
	s.do(todo)
	return c
}

func (s *Seat) claim(owner func(*sealedview.View) string, hold func(epoch uint64), answers []Answer) (c Claimed, todo errands) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dozed() {
		todo = s.advance(sealedview.Tick{})
	}
	c.Changed = s.changed
	view := s.place.Load().view
	if view == nil || view != s.seated {
		return c, todo
	}
	now := s.clock.Now()
	c.Stamp, c.Serves = view.Stamp, s.node.Serves(now)
	c.Owing, c.Mine = s.node.Owing(now, owner)
	c.Owing = slices.DeleteFunc(c.Owing, func(member string) bool { return slices.Contains(answers, Answer{view.Stamp, member}) })
	if c.Held() {
		c.Changed = nil
		hold(view.Epoch)
	}
	return c, todo
}

// View is the installed view and the id that the node has in it; if it is no
// member, nil and the id that it wants to have. Host.Seated may not have been
// called yet.
func (s *Seat) View() (self string, view *sealedview.View) {
	p := s.place.Load()
	return p.self, p.view
}

// Released says that the host holds nothing that view assigns to the member to,
// or to any other member if to is "", and that it does not activate under an
// older view. It counts if that view is still the installed one.
func (s *Seat) Released(view sealedview.Stamp, to string) {
	s.step(sealedview.Released{View: view, To: to})
}

// Leave has the node leave: the host is told by a view that shows it leaving, and
// answers with Drained. Then Run ends.
func (s *Seat) Leave() {
	s.mu.Lock()
	s.leaving = true
	if s.place.Load().view == nil {
		s.wish = nil
		poke(s.asked)
	}
	s.signal()
	s.mu.Unlock()
	s.step(sealedview.Leave{})
}

// Drained says that the host, of a node that the view shows leaving, holds
// nothing any more.
func (s *Seat) Drained() { s.step(sealedview.Drained{}) }

// Stats tell how the seat fares.
func (s *Seat) Stats() Stats {
	s.mu.Lock()
	stats := s.stats
	stats.StoreAge = -1
	if at, known := s.node.Evidence(); known {
		stats.StoreAge = s.clock.Now() - at
	}
	s.mu.Unlock()
	p := s.place.Load()
	stats.Self, stats.Serves = p.self, s.Serves()
	if p.view != nil {
		stats.Epoch, stats.Members = p.view.Epoch, len(p.view.Members)
	}
	s.store.report(&stats)
	s.config.Service.report(&stats)
	s.lines.report(&stats)
	return stats
}

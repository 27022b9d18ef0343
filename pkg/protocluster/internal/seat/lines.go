package seat

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/seatpb"
	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

const (
	patience   = 2.5              // renewals: a connection over which nothing arrives for so long is given up
	maxQueue   = 128              // messages that wait for one node
	remembered = 10 * time.Minute // for how long a node may be sent to that the store has named
)

// lines are the ways to other nodes, one for each address that is sent to or has
// opened a stream. What goes out takes the stream that the other has opened, if
// there is one and it works, or else a connection of this node's own, which is
// made on demand, to addresses that the store has named: nobody is dialled, nor
// told anything, because he says so himself. Nothing here blocks but finish.
type lines struct {
	listener listener
	service  *Service
	name     string // of the cluster
	address  string // of this node
	dial     func(address string) (*grpc.ClientConn, error)
	patience time.Duration // for a connection that makes no progress
	useful   time.Duration // for how long a message is
	log      *slog.Logger
	work     sync.WaitGroup // every line that runs
	ending   chan struct{}  // closed once nothing more is to be sent than waits

	mu            sync.Mutex
	run           func(*line) // starts a line
	ended         bool
	parting       bool                 // what is sent from now on has to arrive before finish returns
	open          map[string]*line     // by address
	known         map[string]time.Time // addresses, and when the store has named them last
	sent, dropped uint64
}

// parcel is a message on its way.
type parcel struct {
	from, to string // members' ids
	frame    *seatpb.Frame
	at       time.Time // when it was sent; it is not of use for long
	dial     bool      // it goes over a connection of this node's own
}

// newLines returns the lines of a seat, which sends nothing before begin.
func newLines(c *Config, l listener) *lines {
	return &lines{
		listener: l, service: c.Service, name: c.Name, address: c.Self.Address, dial: c.Dial, log: c.Logger,
		patience: time.Duration(patience * float64(c.Params.Renew)), useful: c.Params.Lease,
		ending: make(chan struct{}), open: make(map[string]*line), known: make(map[string]time.Time),
	}
}

// begin has lines run until ctx ends, or finish.
func (l *lines) begin(ctx context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.run = func(n *line) { l.work.Go(func() { n.run(ctx) }) }
}

// know takes note of whom the store names.
func (l *lines) know(members ...sealedview.Member) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range members {
		l.known[members[i].Address] = now
	}
	for address, named := range l.known {
		if now.Sub(named) > remembered {
			delete(l.known, address)
		}
	}
}

// send queues a message to another node. If too many wait, the oldest is dropped.
// Dial has it show that this node can dial the other.
func (l *lines) send(from string, to *sealedview.Member, frame *seatpb.Frame, dial bool) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := l.known[to.Address]; !known || l.ended || to.Address == l.address {
		l.dropped++
		return
	}
	n := l.to(to.Address)
	if len(n.queue) >= maxQueue {
		n.queue = slices.Delete(n.queue, 0, 1)
		l.dropped++
	}
	dial = dial || l.parting
	n.queue = append(n.queue, parcel{from: from, to: to.ID, frame: frame, at: now, dial: dial})
	if !dial && n.goesBack(now) {
		n.back.wake(now)
	} else {
		l.dialled(n)
	}
}

// to is the line to an address. l.mu is held.
func (l *lines) to(address string) *line {
	n := l.open[address]
	if n == nil {
		n = &line{lines: l, address: address, wake: make(chan struct{}, 1)}
		l.open[address] = n
	}
	return n
}

// dialled has n send what waits over its own connection. l.mu is held.
func (l *lines) dialled(n *line) {
	if !n.runs {
		n.runs = true
		l.run(n)
	}
	poke(n.wake)
}

// waits reports whether anything that is still of use waits for n.
func (l *lines) waits(n *line) bool {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.age(n, now)
	return len(n.queue) > 0
}

// age drops what is of no use any more. l.mu is held.
func (l *lines) age(n *line, now time.Time) {
	old := 0
	for old < len(n.queue) && now.Sub(n.queue[old].at) > l.useful {
		old++
	}
	n.queue = slices.Delete(n.queue, 0, old)
	l.dropped += uint64(old)
}

// take is what of all that fits goes to n next, or nil. The speaker is who has
// spoken on that stream last: another says who it is first. l.mu is held.
func (l *lines) take(n *line, now time.Time, speaker *string, fits func(*parcel) bool) *seatpb.Frame {
	l.age(n, now)
	for i := range n.queue {
		p := &n.queue[i]
		if !fits(p) {
			continue
		}
		if p.from != *speaker {
			*speaker = p.from
			hello := &seatpb.Hello{Version: version, Cluster: l.name, Member: p.from, Address: l.address}
			return &seatpb.Frame{Content: &seatpb.Frame_Hello{Hello: hello}}
		}
		f := &seatpb.Frame{To: p.to, Content: p.frame.Content} // which may go to others as well
		n.queue = slices.Delete(n.queue, i, i+1)
		l.sent++
		return f
	}
	return nil
}

// retire ends the line's run unless something waits for it.
func (l *lines) retire(n *line) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(n.queue) > 0 {
		return false
	}
	n.runs = false
	if n.back == nil {
		delete(l.open, n.address)
	}
	return true
}

// part has what is sent from now on arrive before finish returns. Over a stream of
// the other node that cannot be known.
func (l *lines) part() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.parting = true
}

// finish sends what waits, as far as that can be done without waiting for long,
// and returns when all lines have ended.
func (l *lines) finish() {
	l.mu.Lock()
	for _, n := range l.open {
		if len(n.queue) > 0 {
			l.dialled(n)
		}
	}
	l.ended = true
	l.mu.Unlock()
	close(l.ending)
	l.work.Wait()
}

// report tells what there is, and was.
func (l *lines) report(s *Stats) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.Connections, s.Sent, s.Dropped = len(l.open), l.sent, l.dropped
}

func poke(wake chan struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}

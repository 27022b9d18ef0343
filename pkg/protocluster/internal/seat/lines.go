package seat

import (
	"context"
	"log/slog"
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

// lines are the ways to other nodes, one for each address that is sent to. They
// are made on demand, to addresses that the store has named: nobody is dialled
// because he says so himself. Nothing here blocks but finish.
type lines struct {
	name     string // of the cluster
	address  string // of this node
	dial     func(address string) (*grpc.ClientConn, error)
	patience time.Duration // for a connection that makes no progress
	useful   time.Duration // for how long a message is
	log      *slog.Logger
	run      func(*line)    // starts a line
	work     sync.WaitGroup // every line
	ending   chan struct{}  // closed once nothing more is to be sent than waits

	mu            sync.Mutex
	ended         bool
	open          map[string]*line     // by address
	known         map[string]time.Time // addresses, and when the store has named them last
	sent, dropped uint64
}

// parcel is a message on its way.
type parcel struct {
	from, to string // members' ids
	frame    *seatpb.Frame
	at       time.Time // when it was sent; it is not of use for long
}

// openLines returns the lines of a seat. They end with ctx, or with finish.
func openLines(ctx context.Context, c *Config) *lines {
	l := &lines{
		name: c.Name, address: c.Self.Address, dial: c.Dial, log: c.Logger,
		patience: time.Duration(patience * float64(c.Params.Renew)), useful: c.Params.Lease,
		ending: make(chan struct{}), open: make(map[string]*line), known: make(map[string]time.Time),
	}
	l.run = func(n *line) { l.work.Go(func() { n.run(ctx) }) }
	return l
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
func (l *lines) send(from string, to *sealedview.Member, frame *seatpb.Frame) {
	p := parcel{from: from, to: to.ID, frame: frame, at: time.Now()}
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.open[to.Address]
	if n == nil {
		if _, known := l.known[to.Address]; !known || l.ended || to.Address == l.address {
			l.dropped++
			return
		}
		n = &line{lines: l, address: to.Address, wake: make(chan struct{}, 1)}
		l.open[to.Address] = n
		l.run(n)
	}
	if len(n.queue) >= maxQueue {
		n.queue = n.queue[1:]
		l.dropped++
	}
	n.queue = append(n.queue, p)
	poke(n.wake)
}

// waits reports whether anything that is still of use waits for n.
func (l *lines) waits(n *line) bool {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(n.queue) > 0 && now.Sub(n.queue[0].at) > l.useful {
		n.queue = n.queue[1:]
		l.dropped++
	}
	return len(n.queue) > 0
}

// next takes what waits for n longest, unless nothing does.
func (l *lines) next(n *line) (p parcel, ok bool) {
	if !l.waits(n) {
		return parcel{}, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	p, n.queue = n.queue[0], n.queue[1:]
	l.sent++
	return p, true
}

// retire forgets n unless something waits for it.
func (l *lines) retire(n *line) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(n.queue) > 0 {
		return false
	}
	delete(l.open, n.address)
	return true
}

// finish sends what waits, as far as that can be done without waiting for long,
// and returns when all lines have ended.
func (l *lines) finish() {
	l.mu.Lock()
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

package testkit

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"
)

const (
	defaultWindow = 256 << 10
	firstRetry    = 200 * time.Millisecond // TCP's first retransmission in a local network
	mostRetries   = 8
)

// Route is one direction between two hosts.
type Route struct{ From, To string }

// Back is the other direction of r.
func (r Route) Back() Route { return Route{From: r.To, To: r.From} }

// Link says how one direction between two hosts behaves. The zero Link is a
// perfect one: what is written arrives at the same instant. What one
// connection carries always arrives whole and in order, as with TCP, however
// bad the link.
type Link struct {
	// Latency is how long each message, that is each Write, is under way.
	Latency time.Duration
	// Jitter adds between nothing and this much to each message.
	Jitter time.Duration
	// Loss is the share of messages, from 0 to 1, that get lost. A lost one is
	// sent again 200 ms later, and twice as long after each further loss, at
	// most eight times; what was written after it waits for it.
	Loss float64
	// Rate is how many bytes per second all connections together may carry;
	// 0 is no bound.
	Rate int
	// Window is how many bytes of one connection may be written and not yet
	// read before Write blocks; 0 means 256 KiB.
	Window int
}

// delay draws how long a message is under way. It depends on the seed, the
// connection (both in key) and the number of the message in it, and on nothing
// else, so goroutines that run in another order do not change it.
func (l Link) delay(key, number uint64) time.Duration {
	d := l.Latency
	if l.Jitter <= 0 && l.Loss <= 0 {
		return d
	}
	dice := rand.New(rand.NewPCG(key, number))
	if l.Jitter > 0 {
		d += time.Duration(dice.Int64N(int64(l.Jitter) + 1))
	}
	for i := 0; i < mostRetries && dice.Float64() < l.Loss; i++ {
		d += firstRetry << i
	}
	return d
}

// link is one direction between two machines at work.
type link struct {
	network  *Network
	from, to *machine
	shape    *Link     // nil: the network's
	cut      bool      // nothing arrives
	free     time.Time // when the last byte has left, if Rate bounds it
	dials    int       // connections asked for so far
	flows    []*flow   // of connections not yet over, oldest first
}

func (l *link) policy() Link {
	switch {
	case l.shape != nil:
		return *l.shape
	case l.from == l.to: // a host reaches itself without a network
		return Link{}
	default:
		return l.network.shape
	}
}

// open tells whether what is under way arrives.
func (l *link) open() bool { return !l.cut && !l.to.down }

// key is the seed of all that chance decides on one connection's flow.
func (l *link) key(connection int) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %q %q %d", l.network.seed, l.from.name, l.to.name, connection)
	return h.Sum64()
}

// settle lets arrive what is due this instant, before a fault strikes, so that
// it does not matter whether an alarm of this instant went off before.
func (l *link) settle() {
	for _, f := range slices.Clone(l.flows) { // an arrival may end a flow
		f.settle()
	}
}

// hold stops whatever is under way: it is lost, and its sender keeps it.
func (l *link) hold() {
	for _, f := range l.flows {
		f.hold()
	}
}

// release sends on what was held, from now.
func (l *link) release() {
	if !l.open() {
		return
	}
	for _, f := range slices.Clone(l.flows) {
		f.release()
	}
}

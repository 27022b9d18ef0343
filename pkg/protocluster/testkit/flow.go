package testkit

import (
	"slices"
	"time"
)

// kind says what a segment is; the names are TCP's.
type kind uint8

const (
	data   kind = iota
	syn         // asks for a connection
	synack      // grants it
	ack         // the connection is there: the other end may be accepted
	fin         // no more is coming
	rst         // there is no such connection (any more)
)

// segment is what one Write, or one step of a handshake, puts on the link.
type segment struct {
	kind kind
	data []byte
	due  time.Time // when it arrives; zero while the link holds it
}

// flow is one direction of a connection. The network's lock guards it.
type flow struct {
	link     *link
	from, to *conn
	key      uint64 // seeds the chance of each segment
	number   uint64 // segments put on the link so far

	flight  []segment // sent and not arrived, in order
	arrived [][]byte  // and not read
	size    int       // bytes of both
	ended   bool      // a fin arrived
	last    time.Time // due time of the segment sent last: no later one overtakes it
	alarm   *time.Timer
	armed   time.Time // when alarm goes off, zero if it does not
}

// send puts s on the link behind what is there already.
func (f *flow) send(s segment) {
	f.flight = append(f.flight, s)
	f.size += len(s.data)
	if f.link.open() {
		f.schedule(&f.flight[len(f.flight)-1])
		f.settle()
	}
}

func (f *flow) schedule(s *segment) {
	policy, due := f.link.policy(), time.Now()
	if policy.Rate > 0 {
		if f.link.free.After(due) {
			due = f.link.free
		}
		due = due.Add(time.Duration(len(s.data)) * time.Second / time.Duration(policy.Rate))
		f.link.free = due
	}
	f.number++
	due = due.Add(policy.delay(f.key, f.number))
	if due.Before(f.last) {
		due = f.last
	}
	s.due, f.last = due, due
}

// settle lets arrive what is due and sets the alarm for what is next. A
// segment without delay arrives inside send, without a timer.
func (f *flow) settle() {
	for len(f.flight) > 0 && f.link.open() {
		if next := f.flight[0].due; time.Until(next) > 0 {
			f.wake(next)
			return
		}
		s := f.flight[0]
		f.flight = f.flight[1:]
		f.arrive(s)
	}
}

func (f *flow) wake(at time.Time) {
	switch {
	case f.armed.Equal(at):
		return
	case f.alarm == nil:
		f.alarm = time.AfterFunc(time.Until(at), f.ring)
	default:
		f.alarm.Reset(time.Until(at))
	}
	f.armed = at
}

func (f *flow) ring() {
	f.link.network.mu.Lock()
	defer f.link.network.mu.Unlock()
	f.armed = time.Time{}
	f.settle()
}

func (f *flow) hold() {
	for i := range f.flight {
		f.flight[i].due = time.Time{}
	}
	f.last = time.Time{}
}

func (f *flow) release() {
	for i := range f.flight {
		f.schedule(&f.flight[i])
	}
	f.settle()
}

// room is how much more may be written now.
func (f *flow) room() int {
	if w := f.link.policy().Window; w > 0 {
		return w - f.size
	}
	return defaultWindow - f.size
}

// drop forgets what has not arrived.
func (f *flow) drop() {
	for _, s := range f.flight {
		f.size -= len(s.data)
	}
	f.flight = nil
}

// discard forgets what has arrived and will not be read.
func (f *flow) discard() {
	for _, b := range f.arrived {
		f.size -= len(b)
	}
	f.arrived = nil
}

// finish takes a flow that carries nothing any more off its link.
func (f *flow) finish() {
	f.drop()
	if f.alarm != nil {
		f.alarm.Stop()
	}
	f.link.flows = slices.DeleteFunc(f.link.flows, func(g *flow) bool { return g == f })
}

// arrive is what the machine at the end of the link does with s. Whatever it
// has no connection for is answered with rst, which waits out a cut as the
// answer to a retransmission would.
func (f *flow) arrive(s segment) {
	c := f.to
	switch s.kind {
	case syn:
		c.greet(f.link.to.listeners[c.local.port])
	case synack:
		c.granted()
	case ack:
		c.offered()
	case fin:
		f.ended = true
	case rst:
		c.reset()
	case data:
		if c.state != open {
			f.size -= len(s.data)
			c.out.send(segment{kind: rst})
			break
		}
		f.arrived = append(f.arrived, s.data)
	}
	c.changed.Broadcast()
}

// take moves what has arrived into p.
func (f *flow) take(p []byte) (n int) {
	for n < len(p) && len(f.arrived) > 0 {
		k := copy(p[n:], f.arrived[0])
		if n += k; k == len(f.arrived[0]) {
			f.arrived[0] = nil
			f.arrived = f.arrived[1:]
		} else {
			f.arrived[0] = f.arrived[0][k:]
		}
	}
	f.size -= n
	f.from.changed.Broadcast()
	return n
}

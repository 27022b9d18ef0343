package seat

import (
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/seatpb"
)

// back is the way to a node over the stream that it has opened itself. One
// goroutine at a time writes: the one that reads the stream sends what has come
// of a frame, and the receipt with it; else one is started for that.
type back struct {
	*lines
	send       func(*seatpb.Frame) error // waits for a node that does not read
	start      func(func())              // in a goroutine of the stream's
	superseded chan struct{}             // closed when the node has opened another stream

	// guarded by lines.mu
	line    *line     // nil before the node has said who it is, and after close
	closed  bool      // for good
	heard   time.Time // when something arrived last
	writing bool      // somebody does
	since   time.Time // when that began to send what it sends
	arrived uint64    // frames
	told    uint64    // of those, to the node
	owes    uint64    // of those, to be told at once
	speaker string    // of what goes back
}

// openBack returns the way back over a stream, which is not used before attach.
func (l *lines) openBack(send func(*seatpb.Frame) error, start func(func())) *back {
	return &back{lines: l, send: send, start: start, superseded: make(chan struct{})}
}

// attach has what is for the node at address go back over the stream, and no more
// over one that it had opened before: its connection broke, or its process.
func (b *back) attach(address string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || b.line != nil {
		return
	}
	b.line = b.to(address)
	if old := b.line.back; old != nil {
		close(old.superseded)
		old.line = nil
	}
	b.line.back = b
}

// close ends the use of the stream. What waits takes the other way.
func (b *back) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	n := b.line
	if n == nil {
		return
	}
	b.line, n.back = nil, nil
	if len(n.queue) > 0 && !b.ended {
		b.dialled(n)
	} else if !n.runs {
		delete(b.open, n.address)
	}
}

// arrives takes note of a frame. It reports whether the caller has to call write
// once it has taken the frame in; somebody else writes already if not.
func (b *back) arrives(f *seatpb.Frame) bool {
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.arrived++
	b.heard = now
	if pressing(f) || b.arrived-b.told > unanswered/2 {
		b.owes = b.arrived
	}
	return b.begin(now)
}

// begin reports whether the caller is to write. lines.mu is held.
func (b *back) begin(now time.Time) bool {
	if b.writing {
		return false
	}
	b.writing, b.since = true, now
	return true
}

// wake sees to it that somebody writes. lines.mu is held.
func (b *back) wake(now time.Time) {
	if b.begin(now) {
		b.start(func() { _ = b.write() }) // who reads the stream knows how it ends
	}
}

// alive reports whether what goes back arrives, as far as that can be known: the
// node was heard lately, and reads. lines.mu is held.
func (b *back) alive(now time.Time) bool {
	return now.Sub(b.heard) <= b.patience && (!b.writing || now.Sub(b.since) <= b.patience)
}

// write sends what waits, and returns once nothing does.
func (b *back) write() error {
	for f := b.next(); f != nil; f = b.next() {
		if err := b.send(f); err != nil {
			return err
		}
	}
	return nil
}

// next is what goes back next: what waits, or else the receipt if one is due. If
// it is nil the caller writes no more.
func (b *back) next() *seatpb.Frame {
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	var f *seatpb.Frame
	if b.line != nil {
		f = b.take(b.line, now, &b.speaker, func(p *parcel) bool { return !p.dial })
	}
	if f == nil {
		if b.told >= b.owes {
			b.writing = false
			return nil
		}
		f = new(seatpb.Frame)
	}
	b.since, b.told = now, b.arrived
	f.Arrived = b.told
	return f
}

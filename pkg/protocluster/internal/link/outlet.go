package link

import (
	"sync"
	"sync/atomic"

	"github.com/protocluster/workshop/pkg/protocluster/internal/wire"
)

// loneFrames is how many frames in a row have one message before the next is taken
// for such a one. With one instead, asks of 64 callers, who send at the same time,
// leave in smaller batches: 1.05 times the processor time.
const loneFrames = 16

// outlet is where the batches of a lane leave, on one session. It is the
// mem.BufferPool of their frames, so gRPC tells it of each that was written.
type outlet struct {
	*session
	stream
	lane *lane

	flying  atomic.Int32 // pieces of frames that gRPC has yet to write
	sending sync.Mutex   // held by the one who sends
	singles int          // so many frames in a row had one message; guarded by sending
}

// atRest reports whether whoever calls it is to send, and then has to. Nobody else
// does; messages leave one at a time; and all that left was written, so gRPC has room
// for another and does not have its sender wait.
func (o *outlet) atRest() bool {
	if o == nil || o.flying.Load() > 0 || !o.sending.TryLock() {
		return false
	}
	if o.singles < loneFrames {
		o.sending.Unlock()
		return false
	}
	return true
}

// sendNow sends what waits, after atRest.
func (o *outlet) sendNow() {
	_, more, err := o.send()
	if err != nil {
		o.fail(err)
	}
	if more {
		poke(o.lane.wake)
	}
}

// send sends the batch that is next, if there is one, and reports whether there are
// more. It is called with o.sending held, and gives it back.
func (o *outlet) send() (sent, more bool, err error) {
	defer o.sending.Unlock()
	b, more := o.lane.pop()
	if b == nil {
		return false, false, nil
	}
	err = o.write(b)
	o.lane.link.queued.Add(-int64(b.Size()))
	b.Reset()
	o.e.batches.Put(b)
	return true, more, err
}

// close returns when nobody sends any more here, and nobody will.
func (o *outlet) close() {
	o.lane.setOutlet(nil)
	o.sending.Lock()
	defer o.sending.Unlock()
}

// write has gRPC write b.
func (o *outlet) write(b *wire.Batch) error {
	e := o.e
	if b.Size() > max(o.limit, wire.BatchBytes) {
		o.lane.link.refuse(b, wire.Fault(wire.ErrTooLarge, "%d bytes are more than the %d that %s takes; raise WithMaxMessageBytes there",
			b.Size(), o.limit, o.Address))
		return nil
	}
	b.Seal()
	o.track(b)
	if o.singles++; b.Len() > 1 {
		o.singles = 0
	}
	f := &outbound{pool: o}
	if size := b.PayloadSize(); size <= smallBuffer {
		f.frame = e.buffers.Get(b.FrameSize())
		*f.frame = b.AppendFrame((*f.frame)[:0])
	} else {
		f.frame = e.buffers.Get(b.FrameSize() - size)
		*f.frame = b.AppendHead((*f.frame)[:0])
		f.payload = b.Detach()
		o.flying.Add(1)
	}
	o.flying.Add(1)
	return o.SendMsg(f)
}

// Get implements mem.BufferPool.
func (o *outlet) Get(n int) *[]byte { return o.e.buffers.Get(n) }

// Put implements mem.BufferPool.
func (o *outlet) Put(piece *[]byte) {
	o.flying.Add(-1)
	o.e.buffers.Put(piece)
}

package link

import (
	"runtime"
	"slices"
	"sync"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/remotepb"
	"github.com/protocluster/workshop/pkg/protocluster/internal/wire"
)

// lane is the ordered way to those actors of a node whose ids share a hash.
// Its queue outlives the sessions of its link.
type lane struct {
	link *Link
	wake chan struct{} // the queue is no longer empty
	turn chan struct{} // held by the one writer

	mu     sync.Mutex
	queue  []*wire.Batch // all but the last are full
	closed error
}

// push queues p; it does not block.
func (l *lane) push(p *wire.Parcel) error {
	limit, size := int64(l.link.e.config.QueueBytes), int64(p.Size())
	if l.link.queued.Add(size) > limit {
		l.link.queued.Add(-size)
		return wire.Fault(actor.ErrMailboxFull, "%d bytes wait for %s already; send less, or raise WithQueueBytes", limit, l.link.address)
	}
	l.mu.Lock()
	idle, err := len(l.queue) == 0, l.closed
	if err == nil {
		if idle || !l.queue[len(l.queue)-1].Fits(p) {
			l.queue = append(l.queue, l.link.e.batches.Get().(*wire.Batch))
		}
		l.queue[len(l.queue)-1].Add(p)
	}
	l.mu.Unlock()
	if err == nil && idle {
		poke(l.wake)
	}
	return err
}

// pop takes the batch that is next, or nil.
func (l *lane) pop() (b *wire.Batch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) > 0 {
		b = l.queue[0]
		l.queue = slices.Delete(l.queue, 0, 1)
	}
	return b
}

// close refuses all further messages with reason and returns those that wait.
func (l *lane) close(reason error) []*wire.Batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	queue := l.queue
	l.queue, l.closed = nil, reason
	return queue
}

// write sends what waits until the session ends, or until the node leaves and
// nothing waits.
func (l *lane) write(s *session, st stream) error {
	select {
	case l.turn <- struct{}{}: // the writer of the session before has ended
		defer func() { <-l.turn }()
	case <-s.done:
		return nil
	}
	leaving, last := s.e.leaving, false
	for !s.over() {
		runtime.Gosched() // others that are about to send make the batch larger: 0.6 times the CPU time with 64 askers
		if b := l.pop(); b != nil {
			err := l.send(s, st, b)
			l.link.queued.Add(-int64(b.Size()))
			b.Reset()
			s.e.batches.Put(b)
			if err != nil {
				return err
			}
			continue
		}
		if last {
			return st.Send(&remotepb.Frame{Goodbye: true})
		}
		select {
		case <-l.wake:
		case <-leaving:
			leaving, last = nil, true
		case <-s.done:
		}
	}
	return nil
}

func (l *lane) send(s *session, st stream, b *wire.Batch) error {
	if b.Size() > max(s.limit, wire.BatchBytes) {
		l.link.refuse(b, wire.Fault(wire.ErrTooLarge, "%d bytes are more than the %d that %s takes; raise WithMaxMessageBytes there",
			b.Size(), s.limit, s.Address))
		return nil
	}
	b.Seal()
	s.track(b)
	o := &outbound{pool: &s.e.buffers}
	if size := b.PayloadSize(); size <= smallBuffer {
		o.frame = s.e.buffers.Get(b.FrameSize())
		*o.frame = b.AppendFrame((*o.frame)[:0])
	} else {
		o.frame = s.e.buffers.Get(b.FrameSize() - size)
		*o.frame = b.AppendHead((*o.frame)[:0])
		o.payload = b.Detach()
	}
	return st.SendMsg(o)
}

func poke(wake chan struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}

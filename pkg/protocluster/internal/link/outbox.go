package link

import (
	"strings"
	"sync"
	"sync/atomic"

	"google.golang.org/protobuf/proto"

	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/remotepb"
	"github.com/protocluster/workshop/pkg/protocluster/internal/wire"
)

const maxText = 1 << 10 // bytes of the reason in a signal

// outbox is what waits for the control stream of one session.
type outbox struct {
	limit int           // of bytes
	beat  atomic.Bool   // a heartbeat is due
	wake  chan struct{} // something is due

	mu      sync.Mutex
	signals []*remotepb.Signal
	bytes   int
}

func sizeOf(s *remotepb.Signal) int {
	return wire.Overhead + len(s.To) + len(s.From) + len(s.Type) + len(s.Failure.GetText())
}

// push queues s; false if too much waits.
func (o *outbox) push(s *remotepb.Signal) bool {
	if f := s.Failure; f != nil && len(f.Text) > maxText {
		f.Text = strings.ToValidUTF8(f.Text[:maxText], "") + "…"
	}
	size := sizeOf(s)
	o.mu.Lock()
	ok := o.bytes+size <= o.limit
	if ok {
		o.signals, o.bytes = append(o.signals, s), o.bytes+size
	}
	o.mu.Unlock()
	poke(o.wake)
	return ok
}

// take returns the signals for one frame.
func (o *outbox) take() []*remotepb.Signal {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, bytes := 0, 0
	for n < min(len(o.signals), wire.BatchCount) && bytes < wire.BatchBytes {
		bytes += sizeOf(o.signals[n])
		n++
	}
	taken := o.signals[:n:n]
	if o.signals = o.signals[n:]; len(o.signals) == 0 {
		o.signals = nil
	}
	o.bytes -= bytes
	return taken
}

// write sends signals and heartbeats until the session ends or the node leaves.
func (o *outbox) write(s *session, st stream) error {
	for {
		if signals := o.take(); len(signals) > 0 || o.beat.Swap(false) {
			f := new(remotepb.Frame)
			if len(signals) > 0 {
				f.Signals, _ = proto.Marshal(&remotepb.Signals{Signals: signals}) // its strings are valid
			}
			if err := st.Send(f); err != nil {
				return err
			}
			continue
		}
		select {
		case <-o.wake:
		case <-s.e.leaving:
			return st.Send(&remotepb.Frame{Goodbye: true})
		case <-s.done:
			return nil
		}
	}
}

package link

import (
	"errors"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"google.golang.org/grpc/mem"

	"github.com/protocluster/workshop/pkg/protocluster/internal/wire"
)

// wired is a stream that takes frames, and writes them when it is told to.
type wired struct {
	stream
	codec codec
	holds chan struct{} // whoever sends waits for it, if it is there
	err   error

	mu           sync.Mutex
	taken        []mem.BufferSlice // frames, not written yet
	sent, atOnce int               // frames in all, and those of who pushed them
}

func (w *wired) SendMsg(m any) error {
	if w.holds != nil {
		<-w.holds
	}
	frame, err := w.codec.Marshal(m)
	if err != nil || w.err != nil {
		return errors.Join(err, w.err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.taken, w.sent = append(w.taken, frame), w.sent+1
	if strings.Contains(string(debug.Stack()), "(*lane).push") {
		w.atOnce++
	}
	return nil
}

// count returns how many frames have left, and how many of them with who pushed
// their messages.
func (w *wired) count() (sent, atOnce int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent, w.atOnce
}

// left checks how many frames have left in the end, after those of one.
func (w *wired) left(t *testing.T, want int) {
	t.Helper()
	synctest.Wait()
	if sent, _ := w.count(); sent != loneFrames+want {
		t.Errorf("%d frames have left, want %d", sent, loneFrames+want)
	}
}

// written has all that was taken written.
func (w *wired) written() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, frame := range w.taken {
		frame.Free()
	}
	w.taken = nil
}

// onLane runs f with a lane that has a writer, in a bubble.
func onLane(t *testing.T, f func(t *testing.T, l *lane, w *wired)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := fuzzed()
		types, err := wire.NewTypes()
		if err != nil {
			t.Fatal(err)
		}
		s.e.config.Types, s.e.config.MaxMessageBytes = types, 1<<20
		w := &wired{codec: newCodec(&s.e.buffers)}
		l := newReplies(s, 1).lanes[0]
		go func() {
			if err := l.write(s, w); err != nil {
				s.fail(err)
			}
		}()
		f(t, l, w)
		s.fail(errors.New("the test has ended"))
	})
}

// push queues a message, and reports whether it has sent it.
func (w *wired) push(t *testing.T, l *lane, message any) (atOnce bool) {
	t.Helper()
	_, before := w.count()
	if err := l.link.Push(&wire.Parcel{Target: "it"}, message); err != nil {
		t.Error(err)
	}
	_, after := w.count()
	return after > before
}

// one pushes messages one at a time until the next is taken for such a one.
func (w *wired) one(t *testing.T, l *lane) {
	t.Helper()
	for range loneFrames {
		if w.push(t, l, "hi") {
			t.Error("the first messages did not wait for the writer")
		}
		synctest.Wait()
		w.written()
	}
}

func TestOutlet_SendsAtOnceWhatComesAlone(t *testing.T) {
	onLane(t, func(t *testing.T, l *lane, w *wired) {
		w.one(t, l)
		for i, row := range []struct {
			bytes  int
			before func() // it is pushed
			want   bool
		}{
			{1, w.written, true},
			{1, func() {}, false}, // the one before is not written yet
			{1, func() { synctest.Wait(); w.written() }, true},
			{smallBuffer + 1, w.written, true},
			{1, func() { w.taken[0][:1].Free(); w.taken[0] = w.taken[0][1:] }, false}, // of the one before only the head is
			{1, func() { synctest.Wait(); w.written() }, true},
		} {
			row.before()
			if got := w.push(t, l, strings.Repeat("x", row.bytes)); got != row.want {
				t.Errorf("message %d: its sender sends it: %v, want %v", i, got, row.want)
			}
		}
		w.left(t, 6)
	})
}

func TestOutlet_LeavesToTheWriterWhatComesTogether(t *testing.T) {
	onLane(t, func(t *testing.T, l *lane, w *wired) {
		w.one(t, l)
		w.push(t, l, "alone") // and not written before the next two
		for i := range 2 {
			if w.push(t, l, i) {
				t.Errorf("message %d left at once, though others are on their way", i)
			}
		}
		synctest.Wait()
		w.written() // a frame of two
		w.one(t, l)
		if !w.push(t, l, "alone") {
			t.Error("after as many frames of one as before, the next does not leave at once")
		}
	})
}

// What is pushed while somebody sends leaves after that, even if it fills a batch
// and the next.
func TestOutlet_ForgetsNothingMeanwhile(t *testing.T) {
	onLane(t, func(t *testing.T, l *lane, w *wired) {
		w.one(t, l)
		if !l.outlet.atRest() {
			t.Fatal("it does not leave at once")
		}
		first := new(wire.Batch)
		l.mu.Lock()
		l.queue = append(l.queue, first) // of the one who is about to send
		l.mu.Unlock()
		for range wire.BatchCount + 1 {
			w.push(t, l, "more")
		}
		l.outlet.sendNow()
		w.left(t, 2)
		if len(l.queue) > 0 {
			t.Errorf("%d batches wait", len(l.queue))
		}
	})
}

func TestOutlet_ItsSenderWaitsForNobody(t *testing.T) {
	onLane(t, func(t *testing.T, l *lane, w *wired) {
		w.one(t, l)
		w.holds = make(chan struct{})
		go w.push(t, l, "slow")
		synctest.Wait()
		for i := range 3 {
			w.push(t, l, i) // a deadlock if it waited for the slow one
		}
		close(w.holds)
		w.left(t, 2)
	})
}

func TestOutlet_AFailureEndsTheSession(t *testing.T) {
	onLane(t, func(t *testing.T, l *lane, w *wired) {
		w.one(t, l)
		w.err = errors.New("the network is gone")
		o := l.outlet
		w.push(t, l, "in vain")
		if !errors.Is(o.err, w.err) {
			t.Errorf("the session has ended with %v, want %v", o.err, w.err)
		}
		synctest.Wait()
		if l.outlet != nil || w.push(t, l, "for the next session") || len(l.queue) != 1 {
			t.Errorf("after its end the lane has the outlet %v and keeps %d batches, want none and one", l.outlet, len(l.queue))
		}
	})
}

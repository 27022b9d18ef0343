package timers_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/timers"
)

func TestSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s timers.Set
		var once, often, never atomic.Int32
		start := func(delay, interval time.Duration, n *atomic.Int32) (cancel func()) {
			return s.Start(delay, interval, func() { n.Add(1) })
		}
		check := func(after time.Duration, wantOnce, wantOften int32) {
			t.Helper()
			<-time.After(after)
			synctest.Wait()
			if a, b, c := once.Load(), often.Load(), never.Load(); a != wantOnce || b != wantOften || c != 0 {
				t.Errorf("%d, %d and %d calls, want %d, %d and 0", a, b, c, wantOnce, wantOften)
			}
		}
		start(time.Second, 0, &once)
		cancel := start(time.Second, 0, &never)
		stop := start(500*time.Millisecond, 2*time.Second, &often)
		cancel()
		cancel()
		check(3*time.Second, 1, 2)
		stop()
		check(time.Hour, 1, 2)
		start(0, 0, &once)
		start(time.Second, time.Second, &never)
		check(0, 2, 2)
		s.Close()
		start(0, 0, &never)()
		check(time.Hour, 2, 2)
		s.Close()
	})
}

// A timer may cancel itself, and what fires while Close runs is not waited for.
func TestSet_CancelFromWithin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s timers.Set
		var n atomic.Int32
		cancels := make(chan func(), 1)
		cancels <- s.Start(time.Second, time.Second, func() {
			n.Add(1)
			(<-cancels)()
			s.Close()
		})
		<-time.After(time.Hour)
		if n.Load() != 1 {
			t.Errorf("%d calls, want 1", n.Load())
		}
	})
}

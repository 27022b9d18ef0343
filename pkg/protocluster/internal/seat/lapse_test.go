package seat_test

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/seat"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// starved is the clock of a process that gets no processor for a while: time
// passes without any of its timers.
type starved struct {
	start  time.Time
	missed atomic.Int64
}

func (s *starved) Now() time.Duration { return time.Since(s.start) + time.Duration(s.missed.Load()) }

func (s *starved) Asleep() time.Duration { return 0 }

// A lease may end, and be renewed by a grant that was long under way before the
// seat gets a turn to notice. Who asked meanwhile was told no, and waits to be
// told that there is one again.
func TestLapse_BetweenTwoTurns(t *testing.T) {
	inWorld(t, func(w *world) {
		clock := &starved{start: time.Now()}
		a, c := w.start("a"), w.start("c")
		b := w.start("b", func(c *seat.Config) { c.Clock = clock })
		w.together(5*time.Second, a, b, c)
		for _, latency := range []time.Duration{175 * time.Millisecond, 350 * time.Millisecond} { // not at once, or it is taken for dead
			w.Shape(testkit.Link{Latency: latency},
				testkit.Route{From: "a", To: "b"}, testkit.Route{From: "b", To: "a"}, testkit.Route{From: "c", To: "b"}, testkit.Route{From: "b", To: "c"})
			w.pass(3 * time.Second)
		}
		const tight = 12 * time.Millisecond // of the lease is left, before the next grant is there
		for range 1000 {
			if left := time.Until(b.Until()); 0 < left && left <= tight {
				break
			}
			testkit.Advance(time.Millisecond)
		}
		if events := b.host.happened(); !b.Serves() || slices.Contains(events, "lapsed") {
			t.Fatalf("it does not serve all along: %q", events)
		}
		clock.missed.Add(int64(tight + time.Millisecond))
		if b.Serves() {
			t.Fatal("it serves although its lease has ended")
		}
		testkit.Advance(2 * time.Millisecond)
		if !b.Serves() {
			t.Fatal("it does not serve after a grant has come")
		}
		if got, want := b.host.happened(), []string{"lapsed", "regained"}; !slices.Equal(got, want) {
			t.Errorf("the host was told %q, want %q", got, want)
		}
		if got := b.Stats().Lapses; got != 1 {
			t.Errorf("%d lapses were counted, want 1", got)
		}
	})
}

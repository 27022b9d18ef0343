package seat_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
	"github.com/protocluster/workshop/pkg/protocluster/internal/seat"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// Who leaves hands over without anybody's lease running out first.
func TestLeave(t *testing.T) {
	inWorld(t, func(w *world) {
		nodes := w.three()
		b := nodes[1]
		b.Leave()
		took := w.until(time.Second, "the end of Run", func() bool { return len(b.done) == 1 })
		if err := <-b.done; err != nil {
			t.Errorf("Run = %v", err)
		}
		b.cancel = nil
		took += w.together(time.Second, nodes[0], nodes[2])
		t.Logf("it left within %v", took)
		if events := b.host.happened(); counts(events, "seated") != 1 || counts(events, "unseated") != 1 {
			t.Errorf("its host was told %q", events)
		}
		for _, n := range []*node{nodes[0], nodes[2]} {
			if events := n.host.happened(); counts(events, "lapsed") > 0 {
				t.Errorf("%s was told %q", n.name, events)
			}
		}
		if s := b.Stats(); s.Evictions != 0 || s.Serves {
			t.Errorf("it counts %+v", s)
		}
		if self, v := b.View(); v != nil {
			t.Errorf("%s is still in %s", self, ids(v))
		}
	})
}

// When ctx ends nobody waits for the host.
func TestLeave_WithoutTheHost(t *testing.T) {
	inWorld(t, func(w *world) {
		nodes := w.three()
		b := nodes[1]
		b.host.slow = true
		begin := time.Now()
		b.stop()
		if took := time.Since(begin); took > time.Second {
			t.Errorf("it took %v", took)
		}
		if b.Serves() {
			t.Error("it serves although its host was not asked")
		}
		w.together(time.Second, nodes[0], nodes[2])
	})
}

// A host that does not let go keeps its seat until it does.
func TestLeave_WaitsForTheHost(t *testing.T) {
	inWorld(t, func(w *world) {
		nodes := w.three()
		b := nodes[1]
		b.host.slow = true
		b.Leave()
		w.pass(10 * time.Second)
		_, v := b.View()
		if got := ids(v); len(b.done) > 0 || v == nil || len(v.Members) != 3 {
			t.Fatalf("it is in %s", got)
		}
		if !b.Serves() || len(b.host.dispatches()) == 0 {
			t.Error("what it still holds it does not serve")
		}
		b.host.mu.Lock()
		b.host.held = nil
		b.host.mu.Unlock()
		b.Released(v.Stamp, "")
		b.Drained()
		w.until(time.Second, "the end of Run", func() bool { return len(b.done) == 1 })
		w.together(time.Second, nodes[0], nodes[2])
	})
}

func TestLeave_Bounded(t *testing.T) {
	inWorld(t, func(w *world) {
		nodes := w.three()
		w.store.Stall()
		begin := time.Now()
		nodes[0].stop()
		if took := time.Since(begin); took > 13*time.Second {
			t.Errorf("without a store it took %v", took)
		} else {
			t.Logf("without a store it took %v", took)
		}
		if nodes[0].Serves() {
			t.Error("it serves after Run")
		}
	})
}

func TestLeave_TheLast(t *testing.T) {
	inWorld(t, func(w *world) {
		a := w.start("a")
		w.together(5*time.Second, a)
		a.stop()
		b := w.start("b")
		took := w.together(5*time.Second, b)
		t.Logf("the next begins within %v", took)
	})
}

// Who is no member has nothing to leave but its announcement.
func TestLeave_BeforeTheSeat(t *testing.T) {
	inWorld(t, func(w *world) {
		a := w.start("a")
		w.together(5*time.Second, a)
		w.Partition("a", "b") // nobody can be admitted
		b := w.start("b")
		w.pass(5 * time.Second)
		if len(w.store.Record("shop").Joiners) != 1 {
			t.Fatalf("%q are announced, want b", w.store.Record("shop").Joiners)
		}
		b.Leave()
		w.until(time.Second, "the end of Run", func() bool { return len(b.done) == 1 })
		if len(w.store.Record("shop").Joiners) != 0 {
			t.Errorf("%q are still announced", w.store.Record("shop").Joiners)
		}
		c := w.prepare("c")
		c.Leave()
		c.run()
		w.until(time.Second, "the end of Run", func() bool { return len(c.done) == 1 })
	})
}

// Who has lost the race to begin a cluster leaves nothing either.
func TestLeave_AfterAWriteThatCameTooLate(t *testing.T) {
	inWorld(t, func(w *world) {
		a, b := w.start("a"), w.start("b")
		w.Partition("a", "b")
		w.until(5*time.Second, "one has begun", func() bool { return a.Stats().StoreConflicts+b.Stats().StoreConflicts == 1 })
		loser := a
		if b.Stats().StoreConflicts == 1 {
			loser = b
		}
		loser.Leave()
		w.until(time.Second, "the end of Run", func() bool { return len(loser.done) == 1 })
	})
}

// Who stops while it writes the first view takes itself out of it again: nobody
// else could for long.
func TestLeave_WhileBeginning(t *testing.T) {
	for _, after := range []time.Duration{0, 100 * time.Millisecond, 300 * time.Millisecond, 500 * time.Millisecond, 700 * time.Millisecond} {
		inWorld(t, func(w *world) {
			a := w.start("a", func(c *seat.Config) { c.Store = adapter{Store: c.Store.(adapter).Store, late: 400 * time.Millisecond} })
			w.pass(after)
			a.stop()
			if data := w.store.Record("shop").Data; data != nil {
				if v, err := sealedview.Parse(data); err != nil || len(v.Members) > 0 {
					t.Errorf("stopped after %v it leaves the view %s, %v", after, ids(v), err)
				}
			}
			b := w.start("b")
			w.together(10*time.Second, b)
		})
	}
}

func TestRun_Twice(t *testing.T) {
	inWorld(t, func(w *world) {
		a := w.start("a")
		synctest.Wait()
		if err := a.Run(w.Context()); err == nil {
			t.Error("a second Run begins")
		}
		w.together(5*time.Second, a)
		a.cancel()
		if err := <-a.done; err != nil {
			t.Error(err)
		}
		a.cancel = nil
		if err := a.Run(w.Context()); err == nil {
			t.Error("a second Run begins after the first")
		}
	})
}

// Whatever a seat starts ends with it: the bubble fails if a goroutine is left.
func TestRun_ThousandCycles(t *testing.T) {
	cycles := 1000
	if testing.Short() {
		cycles = 50
	}
	inWorld(t, func(w *world) {
		a := w.start("a")
		w.together(5*time.Second, a)
		for i := range cycles {
			n := w.start("b")
			if i%2 == 0 {
				w.until(5*time.Second, "a seat", n.Serves)
			} else {
				testkit.Advance(time.Duration(i%200) * time.Millisecond)
			}
			n.stop()
			w.nodes = w.nodes[:1]
		}
		w.together(5*time.Second, a)
	})
}

package seat_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// How long it takes until somebody else serves what a dead member did: a lease
// and a little, as the protocol's arithmetic says.
func TestFailover(t *testing.T) {
	rows := []struct {
		name string
		die  func(w *world, n *node)
	}{
		{"killed, so that connections are reset", func(_ *world, n *node) { n.kill() }},
		{"its machine crashed, in silence", func(w *world, n *node) {
			w.Crash(n.name)
			w.store.Crash(n.name)
			n.dead = true
		}},
		{"cut off from everybody", func(w *world, n *node) {
			w.Isolate(n.name)
			w.store.Stall(n.name)
		}},
	}
	for i, row := range rows {
		for victim, name := range []string{"a", "b", "c"} {
			if testing.Short() && victim != i { // each dies, and each way
				continue
			}
			t.Run(row.name+", "+name, func(t *testing.T) {
				inWorld(t, func(w *world) {
					nodes := w.three()
					row.die(w, nodes[victim])
					rest := append(nodes[:victim:victim], nodes[victim+1:]...)
					if took := w.together(3*time.Second, rest...); took > 1500*time.Millisecond {
						t.Errorf("failover took %v, want 1.5s at most", took)
					} else {
						t.Logf("failover took %v", took)
					}
					for _, n := range rest {
						if events := n.host.happened(); counts(events, "lapsed") > 0 {
							t.Errorf("%s, who is well, was told %q", n.name, events)
						}
					}
				})
			})
		}
	}
}

// Who was gone for long comes back by itself, as another member.
func TestFailover_ComesBack(t *testing.T) {
	inWorld(t, func(w *world) {
		nodes := w.three()
		b := nodes[1]
		w.Isolate("b")
		w.store.Stall("b")
		w.pass(5 * time.Second)
		if events := b.host.happened(); len(events) != 1 || events[0] != "lapsed" {
			t.Errorf("alone, the host was told %q, want lapsed", events)
		}
		if b.Serves() || !b.Until().Before(time.Now()) {
			t.Errorf("alone, it serves until %v", b.Until())
		}
		w.HealAll()
		w.store.Heal("b")
		took := w.together(5*time.Second, nodes...)
		t.Logf("a member that was cut off for 5s is back %v after that", took)
		self, _ := b.View()
		if !strings.HasSuffix(self, "~2") {
			t.Errorf("it came back as %s", self)
		}
		events := b.host.happened()
		if len(events) < 3 || !strings.HasPrefix(events[0], "unseated b1 ") || !strings.HasPrefix(events[1], "seated b1~2 ") || events[2] != "regained" {
			t.Errorf("the host was told %q, want unseated, seated, regained", events)
		}
		if s := b.Stats(); s.Evictions != 1 || s.Lapses != 1 || s.Self != "b1~2" {
			t.Errorf("%+v, want one eviction and one lapse", s)
		}
	})
}

// What it was is part of how it announces itself, for others may wait to hear that
// it is not that any more.
func TestFailover_SaysWhatItWas(t *testing.T) {
	inWorld(t, func(w *world) {
		w.three()
		w.Isolate("b")
		var joiners [][]byte
		w.until(5*time.Second, "b announces itself", func() bool {
			joiners = w.store.Record("shop").Joiners
			return len(joiners) > 0
		})
		var m sealedview.Member
		if err := json.Unmarshal(joiners[0], &m); err != nil || m.ID != "b1~2" || m.Was.ID != "b1" || m.Was.View.Epoch == 0 {
			t.Errorf("it announces %s, %v", joiners, err)
		}
	})
}

// A pause that is shorter than a lease costs nobody anything.
func TestFailover_ShortPause(t *testing.T) {
	inWorld(t, func(w *world) {
		nodes := w.three()
		w.Pause("b")
		w.pass(500 * time.Millisecond)
		w.Resume("b")
		w.pass(3 * time.Second)
		for _, n := range nodes {
			if events := n.host.happened(); len(events) > 0 {
				t.Errorf("%s was told %q, want nothing", n.name, events)
			}
		}
	})
}

// A long one is like a crash to the others, and then a start.
func TestFailover_LongPause(t *testing.T) {
	inWorld(t, func(w *world) {
		nodes := w.three()
		w.Pause("b")
		w.store.Stall("b")
		w.together(2*time.Second, nodes[0], nodes[2])
		w.pass(10 * time.Second)
		w.Resume("b")
		w.store.Heal("b")
		w.together(3*time.Second, nodes...)
	})
}

// Whatever is cut, nothing is served twice, and all is well soon after.
func TestFailover_Cuts(t *testing.T) {
	rows := []struct {
		name string
		cut  func(w *world)
	}{
		{"one way", func(w *world) { w.Cut(testkit.Route{From: "a", To: "b"}) }},
		{"the other way", func(w *world) { w.Cut(testkit.Route{From: "b", To: "a"}) }},
		{"two of three from each other", func(w *world) { w.Partition("a", "b") }},
		{"into a ring", func(w *world) {
			w.Cut(testkit.Route{From: "a", To: "b"}, testkit.Route{From: "b", To: "c"}, testkit.Route{From: "c", To: "a"})
		}},
		{"all from each other", func(w *world) {
			w.Partition("a", "b")
			w.Partition("b", "c")
			w.Partition("a", "c")
		}},
		{"one from the store", func(w *world) { w.store.Stall("b") }},
		{"a slow store", func(w *world) { w.store.Delay(900 * time.Millisecond) }},
		{"writes whose outcome is unknown", func(w *world) {
			w.store.LoseNext(3)
			w.Isolate("c")
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				nodes := w.three()
				row.cut(w)
				w.pass(7 * time.Second)
				w.HealAll()
				w.store.Heal()
				took := w.together(8*time.Second, nodes...)
				t.Logf("well again after %v", took)
				for _, n := range nodes {
					if s := n.Stats(); s.Violations > 0 {
						t.Errorf("%s counts %d violations", n.name, s.Violations)
					}
				}
			})
		})
	}
}

// Connections that are reset all the time cost messages, not leases.
func TestFailover_Resets(t *testing.T) {
	inWorld(t, func(w *world) {
		nodes := w.three()
		for range 20 {
			w.Reset("a", "b")
			w.Reset("b", "c")
			w.pass(300 * time.Millisecond)
		}
		for _, n := range nodes {
			if events := n.host.happened(); len(events) > 0 {
				t.Errorf("%s was told %q, want nothing", n.name, events)
			}
		}
	})
}

// A process that starts again at the address of one that was killed is another
// member from the start, also while both are in one view.
func TestFailover_RestartAtTheSameAddress(t *testing.T) {
	inWorld(t, func(w *world) {
		nodes := w.three()
		b := nodes[1]
		b.kill()
		again := w.start("b")
		w.until(time.Second, "both incarnations in one view", func() bool {
			_, v := nodes[0].View()
			return v.Has("b1") && v.Has("b3")
		})
		w.together(4*time.Second, nodes[0], again, nodes[2])
		if n := again.Stats().Rejected["misdirected"]; n == 0 {
			t.Error("nothing that was for the member before has arrived: does the test test anything?")
		}
	})
}

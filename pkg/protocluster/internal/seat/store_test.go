package seat_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
	"github.com/protocluster/workshop/pkg/protocluster/internal/seat"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// An outage of the store stops nobody for more than a minute.
func TestStore_Out(t *testing.T) {
	inWorld(t, func(w *world) {
		nodes := w.three()
		w.store.Stall()
		if testing.Short() { // the referee looks on at the end
			testkit.Advance(60 * time.Second)
			w.pass(5 * time.Second)
		} else {
			w.pass(65 * time.Second)
		}
		for _, n := range nodes {
			if events := n.host.happened(); len(events) > 0 {
				t.Errorf("without a store for 65s %s was told %q, want nothing", n.name, events)
			}
			if s := n.Stats(); s.StoreAge < 64*time.Second || s.StoreOut.IsZero() && s.StoreErrors > 0 {
				t.Errorf("%s has evidence of %v ago, the store is out since %v", n.name, s.StoreAge, s.StoreOut)
			}
		}
		w.pass(11 * time.Second) // Params.Store in all, and some more
		for _, n := range nodes {
			if events := n.host.happened(); len(events) != 1 || events[0] != "lapsed" || n.Serves() {
				t.Errorf("without a store for 76s %s serves: %t, and was told %q, want lapsed", n.name, n.Serves(), events)
			}
		}
		w.store.Heal()
		took := w.together(10*time.Second, nodes...)
		t.Logf("all serve again %v after the outage", took)
		for _, n := range nodes {
			// What was written in vain meanwhile makes another view of the same members.
			events := n.host.happened()
			if counts(events, "unseated")+counts(events, "lapsed") > 0 || events[len(events)-1] != "regained" {
				t.Errorf("%s was told %q, want regained", n.name, events)
			}
			if s := n.Stats(); !s.StoreOut.IsZero() || s.Lapses != 1 || s.Evictions != 0 {
				t.Errorf("afterwards %s has %+v", n.name, s)
			}
		}
		for _, text := range []string{"the view store cannot be read", "the view store can be read again"} {
			for _, n := range nodes {
				if lines := w.logs.lines(text); linesWith(lines, "node="+n.name) != 1 {
					t.Errorf("%s logged %q %d times, want once", n.name, text, linesWith(lines, "node="+n.name))
				}
			}
		}
	})
}

func linesWith(lines []string, text string) (n int) {
	for _, l := range lines {
		if strings.Contains(l, text) {
			n++
		}
	}
	return n
}

// A cluster that nothing happens to writes nothing, and reads for evidence only.
func TestStore_SteadyState(t *testing.T) {
	minutes := 10
	if testing.Short() {
		minutes = 1
	}
	inWorld(t, func(w *world) {
		nodes := w.three()
		var before []seat.Stats
		for _, n := range nodes {
			before = append(before, n.Stats())
		}
		version := w.store.Record("shop").Version
		testkit.Advance(time.Duration(minutes) * time.Minute)
		w.referee()
		reads := uint64(0)
		for i, n := range nodes {
			s := n.Stats()
			if s.StoreWrites != before[i].StoreWrites || s.StoreConflicts != before[i].StoreConflicts || s.Views != before[i].Views {
				t.Errorf("%s went from %+v to %+v", n.name, before[i], s)
			}
			if events := n.host.happened(); len(events) > 0 {
				t.Errorf("%s was told %q, want nothing", n.name, events)
			}
			reads += s.StoreReads - before[i].StoreReads
		}
		if now := w.store.Record("shop").Version; now != version {
			t.Errorf("the record went from version %d to %d", version, now)
		}
		// One in five seconds by one node for all, and one of each whenever its
		// watch ends without news, after three quarters of a minute.
		if most := uint64(minutes*60/5 + 3*(minutes*60/45+1)); reads > most {
			t.Errorf("%d reads in %d minutes, want %d at most", reads, minutes, most)
		} else {
			t.Logf("%d reads in %d minutes", reads, minutes)
		}
	})
}

func TestStore_GarbageUnderALease(t *testing.T) {
	inWorld(t, func(w *world) {
		nodes := w.three()
		w.store.Overwrite("shop", []byte("not a view"))
		w.pass(time.Second)
		w.together(5*time.Second, nodes...)
		if _, err := sealedview.Parse(w.store.Record("shop").Data); err != nil {
			t.Errorf("the record was not written again: %v", err)
		}
	})
}

func TestStore_GarbageAtTheStart(t *testing.T) {
	inWorld(t, func(w *world) {
		w.store.Overwrite("shop", []byte("not a view"))
		a := w.start("a")
		w.pass(10 * time.Second)
		if _, v := a.View(); v != nil {
			t.Errorf("it is a member of %s", ids(v))
		}
		if n := len(w.logs.lines("cannot join")); n != 1 {
			t.Errorf("the operator was told %d times, want once", n)
		}
		w.store.Overwrite("shop", nil)
		w.together(5*time.Second, a)
	})
}

// Announcements are anybody's word.
func TestStore_BadAnnouncements(t *testing.T) {
	inWorld(t, func(w *world) {
		bad := []string{
			"", "{", `{"id":"x"}`, `{"id":"","address":"x:1"}`, `{"id":"$store","address":"x:1"}`, `{"id":"x","address":"x"}`,
			`{"id":"x","address":"x:0"}`, `{"id":"x","address":"x:1","weight":-1}`,
			fmt.Sprintf(`{"id":%q,"address":"x:1"}`, strings.Repeat("x", 1000)),
		}
		for i, data := range bad {
			store, err := w.store.For(fmt.Sprint("intruder", i)).OpenStore(user{name: "shop"})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(w.Context(), time.Second)
			if err := store.Announce(ctx, fmt.Sprint("x", i), []byte(data)); err != nil {
				t.Fatal(err)
			}
			cancel()
		}
		a, b := w.start("a"), w.start("b")
		w.together(10*time.Second, a, b)
		if s := a.Stats(); s.BadJoiners != len(bad) {
			t.Errorf("%d bad announcements were counted, want %d", s.BadJoiners, len(bad))
		}
		if n := len(w.logs.lines("announcements that cannot be read")); n != 2 {
			t.Errorf("the operator was told %d times, want once by each node", n)
		}
	})
}

// A node that may not announce itself says so, once, and joins as soon as it may.
func TestStore_AnnouncingForbidden(t *testing.T) {
	inWorld(t, func(w *world) {
		a := w.start("a")
		w.together(5*time.Second, a)
		var forbidden atomic.Bool
		forbidden.Store(true)
		b := w.start("b", func(c *seat.Config) { c.Store = adapter{Store: c.Store.(adapter).Store, forbidden: &forbidden} })
		w.pass(10 * time.Second)
		if _, v := b.View(); v != nil {
			t.Errorf("it is a member of %s", ids(v))
		}
		if n := len(w.logs.lines("cannot be told that this node wants to join")); n != 1 {
			t.Errorf("the operator was told %d times, want once", n)
		}
		forbidden.Store(false)
		w.together(5*time.Second, a, b)
	})
}

// Each write may have happened although it failed.
func TestStore_BootstrapWithUnknownOutcome(t *testing.T) {
	inWorld(t, func(w *world) {
		w.store.LoseNext(2)
		a, b := w.start("a"), w.start("b")
		w.together(10*time.Second, a, b)
		if _, v := a.View(); strings.Contains(ids(v), "~") {
			t.Errorf("the view is %s; somebody took it twice", ids(v))
		}
	})
}

// A store that fails each second call is a nuisance and no more.
func TestStore_Flaky(t *testing.T) {
	inWorld(t, func(w *world) {
		nodes := w.three()
		for range 40 {
			w.store.FailNext(2)
			w.pass(250 * time.Millisecond)
		}
		for _, n := range nodes {
			if events := n.host.happened(); len(events) > 0 {
				t.Errorf("%s was told %q, want nothing", n.name, events)
			}
		}
	})
}

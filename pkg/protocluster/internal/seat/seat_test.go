package seat_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
	"github.com/protocluster/workshop/pkg/protocluster/internal/seat"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

func TestSeat_ThreeFormOneView(t *testing.T) {
	inWorld(t, func(w *world) {
		a, b, c := w.start("a"), w.start("b"), w.start("c")
		took := w.together(3*time.Second, a, b, c)
		t.Logf("three nodes that start at once serve everything after %v", took)
		w.pass(5 * time.Second)
		for _, n := range w.nodes {
			self, v := n.View()
			events := n.host.happened()
			last := events[len(events)-2:]
			if last[0] != "seated "+self+" "+ids(v) || last[1] != "regained" || counts(events, "lapsed")+counts(events, "unseated") > 0 {
				t.Errorf("the host of %s was told %q", n.name, events)
			}
			s := n.Stats()
			if s.Self != self || s.Epoch != v.Epoch || s.Members != 3 || !s.Serves || s.Views == 0 || s.Grants == 0 || s.StoreReads == 0 ||
				s.Violations+s.Evictions+s.Lapses+s.Dropped+s.StoreErrors > 0 || s.StoreAge < 0 || s.StoreAge > 10*time.Second {
				t.Errorf("%s has %+v", n.name, s)
			}
			if left := time.Until(n.Until()); left <= 0 || left > time.Second {
				t.Errorf("the lease of %s ends in %v", n.name, left)
			}
		}
		if joiners := w.store.Record("shop").Joiners; len(joiners) > 0 {
			t.Errorf("%q are announced still", joiners)
		}
	})
}

func TestSeat_NineStartAtOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		var nodes []*node
		for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i"} {
			nodes = append(nodes, w.start(name))
		}
		took := w.together(5*time.Second, nodes...)
		t.Logf("nine nodes that start at once serve everything after %v", took)
	})
}

func TestSeat_StoreMode(t *testing.T) {
	inWorld(t, func(w *world) {
		inStore := func(c *seat.Config) { c.Mode = sealedview.Store }
		a, b := w.start("a", inStore), w.start("b", inStore)
		w.together(5*time.Second, a, b)
		w.store.Stall()
		w.pass(1100 * time.Millisecond)
		if a.Serves() || b.Serves() {
			t.Error("a member serves although the only grantor is gone")
		}
		w.store.Heal()
		w.together(5*time.Second, a, b)
	})
}

func TestNew_ReportsAllFaults(t *testing.T) {
	_, err := seat.New(seat.Config{Self: sealedview.Member{ID: "$store"}, Mode: "king", Params: sealedview.Params{Lease: 1}})
	for _, text := range []string{"no id of a member", "no mode", "a store, its conflict", "renewed every"} {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("New = %v, want it to say %q", err, text)
		}
	}
}

// Who owes is named, and its barrier, or its word, makes the claim good.
func TestClaim(t *testing.T) {
	inWorld(t, func(w *world) {
		a := w.start("a")
		w.together(5*time.Second, a)
		a.host.slow = true // it lets nothing go
		b := w.start("b")
		w.until(3*time.Second, "b serves", b.Serves)
		_, v := b.View()
		identity := slices.IndexFunc(make([]int, identities), func(int) bool { return false })
		for k := range identities {
			if owner(v, k) == "b1" {
				identity = k
			}
		}
		claim := func(n *node, answers ...seat.Answer) seat.Claimed {
			return n.Claim(func(v *sealedview.View) string { return owner(v, identity) }, func(epoch uint64) {
				if epoch != v.Epoch {
					t.Errorf("hold(%d), want %d", epoch, v.Epoch)
				}
			}, answers...)
		}
		c := claim(b)
		if c.Held() || !c.Serves || !c.Mine || !slices.Equal(c.Owing, []string{"a0"}) || c.Stamp != v.Stamp || c.Changed == nil {
			t.Errorf("b claims what a holds: %+v", c)
		}
		if c := claim(a); c.Held() || !c.Serves || c.Mine || len(c.Owing) > 0 {
			t.Errorf("a claims what is b's: %+v", c)
		}
		if c := claim(b, seat.Answer{View: v.Before, Member: "a0"}, seat.Answer{View: v.Stamp, Member: "c"}); c.Held() {
			t.Error("the word of another member, or of another view, counts")
		}
		if c := claim(b, seat.Answer{View: v.Stamp, Member: "a0"}); !c.Held() || c.Changed != nil {
			t.Errorf("a has given its word: %+v", c)
		}
		c = claim(b)
		go func() {
			a.host.mu.Lock()
			a.host.held = nil
			a.host.mu.Unlock()
			a.Released(v.Stamp, "b1")
		}()
		for !c.Held() { // Changed may be closed for another reason
			w.closes(c.Changed)
			c = claim(b)
		}
	})
}

// While a claim is being registered no view is installed, and until its host
// knows of a view nothing is claimed under it.
func TestClaim_AndViews(t *testing.T) {
	inWorld(t, func(w *world) {
		gate := make(chan struct{})
		open := sync.OnceFunc(func() { close(gate) })
		defer open()
		var blocked atomic.Bool
		a := w.start("a", func(c *seat.Config) { c.Host = &gated{Host: c.Host, blocked: &blocked, gate: gate} })
		w.together(5*time.Second, a)
		blocked.Store(true)
		b := w.start("b")
		w.until(5*time.Second, "a has installed a view of two", func() bool { _, v := a.View(); return v != nil && len(v.Members) == 2 })
		c := a.Claim(func(*sealedview.View) string { return "a0" }, func(uint64) { t.Error("it is claimed") })
		if c.Held() || c.Serves || c.Stamp != (sealedview.Stamp{}) {
			t.Errorf("a claims under a view that its host does not know: %+v", c)
		}
		w.pass(2 * time.Second)
		if !a.Serves() {
			t.Error("a host that is slow costs its node the lease")
		}
		blocked.Store(false)
		open()
		w.closes(c.Changed)
		w.together(time.Second, a, b)
	})
}

// gated is a host that takes its time when it is told of a view.
type gated struct {
	seat.Host
	blocked *atomic.Bool
	gate    chan struct{}
}

func (g *gated) Seated(self string, v *sealedview.View) {
	if g.blocked.Load() {
		<-g.gate
	}
	g.Host.Seated(self, v)
}

// sleeper is the clock of a machine that can be sent to sleep. The bubble does not
// know of that time.
type sleeper struct {
	start time.Time
	slept atomic.Int64
}

func (s *sleeper) Now() time.Duration { return time.Since(s.start) }

func (s *sleeper) Asleep() time.Duration { return time.Duration(s.slept.Load()) }

func (s *sleeper) sleep(d time.Duration) { s.slept.Add(int64(d)) }

// What was granted before a sleep does not count after it.
func TestSleep(t *testing.T) {
	inWorld(t, func(w *world) {
		clock := &sleeper{start: time.Now()}
		a, c := w.start("a"), w.start("c")
		b := w.start("b", func(c *seat.Config) { c.Clock = clock })
		w.together(5*time.Second, a, b, c)
		b.host.happened()
		testkit.Advance(45 * time.Millisecond)
		clock.sleep(40 * time.Millisecond)
		w.pass(2 * time.Second)
		if events := b.host.happened(); len(events) > 0 {
			t.Errorf("after 40ms of sleep the host was told %q", events)
		}
		w.Partition("a", "b") // so that it has to do without new grants
		w.Partition("b", "c")
		clock.sleep(300 * time.Millisecond)
		w.pass(51 * time.Millisecond)
		if b.Serves() {
			t.Error("it serves after a sleep")
		}
		if c := b.Claim(func(*sealedview.View) string { return "b2" }, func(uint64) { t.Error("it claims after a sleep") }); c.Serves {
			t.Errorf("%+v", c)
		}
		w.HealAll()
		w.until(300*time.Millisecond, "b serves again", b.Serves)
		if events := b.host.happened(); !slices.Equal(events, []string{"lapsed", "regained"}) {
			t.Errorf("the host was told %q", events)
		}
		if s := b.Stats(); s.Sleeps != 1 || s.Lapses != 1 {
			t.Errorf("%+v, want one sleep, one lapse", s)
		}
	})
}

// Serves looks by itself, long before the seat has its next turn.
func TestSleep_Serves(t *testing.T) {
	inWorld(t, func(w *world) {
		clock := &sleeper{start: time.Now()}
		a, c := w.start("a"), w.start("c")
		b := w.start("b", func(c *seat.Config) { c.Clock = clock })
		w.together(5*time.Second, a, b, c)
		w.Partition("a", "b") // so that it has to do without new grants
		w.Partition("b", "c")
		clock.sleep(300 * time.Millisecond)
		testkit.Advance(time.Millisecond)
		for range 3 {
			if b.Serves() {
				t.Error("it serves a millisecond after a sleep")
			}
		}
		testkit.Advance(time.Microsecond)
		if b.Serves() || b.Stats().Sleeps != 1 {
			t.Errorf("it serves %t, and has taken in %d sleeps, want one", b.Serves(), b.Stats().Sleeps)
		}
		b.host.happened()
		w.HealAll()
		w.until(500*time.Millisecond, "b serves again", b.Serves)
	})
}

// A claim looks by itself whether the machine has slept.
func TestSleep_Claim(t *testing.T) {
	inWorld(t, func(w *world) {
		clock := &sleeper{start: time.Now()}
		a := w.start("a", func(c *seat.Config) { c.Clock = clock })
		w.together(5*time.Second, a)
		_, before := a.View()
		clock.sleep(time.Hour)
		if c := a.Claim(func(*sealedview.View) string { return "a0" }, func(uint64) { t.Error("it claims after a sleep") }); c.Serves {
			t.Errorf("%+v", c)
		}
		w.together(5*time.Second, a, w.start("b"))
		if _, v := a.View(); v.Epoch < before.Epoch+uint64(time.Hour.Milliseconds()) {
			t.Errorf("after an hour of sleep epoch %d follows %d; they go by the time of day", v.Epoch, before.Epoch)
		}
	})
}

// What the store answers to a question from before a sleep is no evidence.
func TestSleep_WhileTheStoreIsAsked(t *testing.T) {
	inWorld(t, func(w *world) {
		clock := &sleeper{start: time.Now()}
		a := w.start("a", func(c *seat.Config) { c.Clock = clock })
		w.together(5*time.Second, a)
		const delay = 200 * time.Millisecond
		w.store.Delay(delay)
		for range 10 { // sooner or later while a question is under way
			w.pass(1730 * time.Millisecond)
			if !a.Serves() || a.Stats().StoreAge < 0 {
				t.Fatalf("it does not serve, or has no evidence: %+v", a.Stats())
			}
			clock.sleep(time.Hour)
			testkit.Advance(60 * time.Millisecond)
			for begin := time.Now(); time.Since(begin) < delay-70*time.Millisecond; testkit.Advance(10 * time.Millisecond) {
				if s := a.Stats(); s.Serves || s.StoreAge >= 0 {
					t.Fatalf("an answer from before the sleep counts: %+v", s)
				}
			}
		}
	})
}

// The id of a node that comes back is announced on the connections that are
// there.
func TestSeat_ComesBackOverTheSameConnections(t *testing.T) {
	inWorld(t, func(w *world) {
		nodes := w.three()
		b := nodes[1]
		dials := func() int {
			return w.Dials(testkit.Route{From: "a", To: "b"}) + w.Dials(testkit.Route{From: "c", To: "b"})
		}
		before := dials()
		data := w.store.Record("shop").Data
		v, err := sealedview.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		w.store.Stall("a", "c")
		next := *v // somebody takes b out by hand
		next.Before, next.Epoch, next.Seal, next.Nonce = v.Stamp, v.Epoch+1, "hand", "hand"
		next.Previous = v.Grantors()
		next.Members = slices.DeleteFunc(slices.Clone(v.Members), func(m sealedview.Member) bool { return m.ID == "b1" })
		data, err = next.Encode()
		if err != nil {
			t.Fatal(err)
		}
		w.store.Overwrite("shop", data)
		w.pass(time.Second)
		w.store.Heal()
		w.together(5*time.Second, nodes...)
		if self, _ := b.View(); self != "b1~2" {
			t.Errorf("b is %s", self)
		}
		if now := dials(); now != before {
			t.Errorf("b was dialled %d times, and %d before", now, before)
		}
	})
}

// Connections that nothing goes over end.
func TestSeat_IdleConnectionsEnd(t *testing.T) {
	inWorld(t, func(w *world) {
		nodes := w.three()
		nodes[2].stop()
		testkit.Advance(2 * time.Minute)
		for _, n := range nodes[:2] {
			if s := n.Stats(); s.Connections != 1 {
				t.Errorf("%s has %d connections, want one", n.name, s.Connections)
			}
		}
	})
}

// A connection over which nothing arrives is given up soon, and dialled again.
func TestSeat_StalledConnections(t *testing.T) {
	inWorld(t, func(w *world) {
		w.three()
		before := w.Dials(testkit.Route{From: "a", To: "b"})
		w.Partition("a", "b")
		w.pass(2 * time.Second)
		if now := w.Dials(testkit.Route{From: "a", To: "b"}); now < before+2 {
			t.Errorf("%d dials while nothing arrives for 2s, %d before", now, before)
		}
	})
}

func TestSeat_Serves_Free(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := taken(t)
		if n := testing.AllocsPerRun(1000, func() { s.Serves() }); n != 0 {
			t.Errorf("Serves allocates %v times", n)
		}
	})
}

// taken is the seat of a node that is alone; benchmarks have it in real time.
func taken(t testing.TB) *seat.Seat {
	t.Helper()
	host := &waiting{served: make(chan struct{})}
	s, err := seat.New(seat.Config{
		Name: "shop", Self: sealedview.Member{ID: "a", Address: "a:1"}, Store: new(memory), Conflict: errConflict, Host: host,
		Service: seat.NewService(), Dial: noDial, Verify: func(context.Context, string) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	<-host.served
	return s
}

// waiting is a host that says when its node serves.
type waiting struct {
	served chan struct{}
	once   sync.Once
}

func (*waiting) Seated(string, *sealedview.View)   {}
func (*waiting) Unseated(string, *sealedview.View) {}
func (*waiting) Lapsed()                           {}
func (w *waiting) Regained()                       { w.once.Do(func() { close(w.served) }) }

func BenchmarkServes(b *testing.B) {
	s := taken(b)
	b.ReportAllocs()
	for b.Loop() {
		if !s.Serves() {
			b.Fatal("it does not serve")
		}
	}
}

func BenchmarkServes_Parallel(b *testing.B) {
	s := taken(b)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			s.Serves()
		}
	})
}

func BenchmarkClaim(b *testing.B) {
	s := taken(b)
	b.ReportAllocs()
	for b.Loop() {
		if !s.Claim(func(*sealedview.View) string { return "a" }, func(uint64) {}).Held() {
			b.Fatal("it does not hold")
		}
	}
}

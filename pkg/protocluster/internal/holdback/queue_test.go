package holdback_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/internal/holdback"
)

// gate is a Keeper that admits while it is open, and notes what was sent.
type gate struct {
	open  bool
	asked int
	sent  []string
	on    func(v string) // called for each that is sent, if set
}

func (g *gate) Admit() bool {
	g.asked++
	return g.open
}

func (g *gate) Send(v string) {
	g.sent = append(g.sent, v)
	if g.on != nil {
		g.on(v)
	}
}

func (g *gate) check(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(g.sent, want) {
		t.Errorf("sent %q, want %q", g.sent, want)
	}
	g.sent = nil
}

func TestQueue_LeavesWhenItsStepHasEnded(t *testing.T) {
	for _, n := range []int{0, 1, 2, 20} {
		var q holdback.Queue[string]
		g := &gate{open: true}
		var want []string
		for step := range uint64(3) {
			step++
			for i := range n {
				v := fmt.Sprint(step, "-", i)
				q.Put(g, step, v)
				want = append(want, v)
			}
			if len(g.sent) != n*int(step-1) || g.asked != min(n, 1)*int(step-1) {
				t.Errorf("%d were sent and %d times was asked in the course of step %d", len(g.sent), g.asked, step)
			}
			q.End(g, step)
		}
		g.check(t, want...)
	}
}

func TestQueue_KeepsWhatIsNotAdmitted(t *testing.T) {
	var q holdback.Queue[string]
	g := &gate{}
	q.Put(g, 1, "a")
	q.End(g, 1)
	q.Put(g, 1, "b")
	q.Put(g, 2, "d")
	q.Put(g, 1, "c")
	q.Release(g)
	g.check(t)
	g.open = true
	q.Release(g)
	g.check(t, "a", "b", "c")
	q.End(g, 2)
	g.check(t, "d")
	asked := g.asked
	q.Release(g)
	if g.asked != asked {
		t.Error("an empty queue asks whether something may leave")
	}
}

func TestQueue_LateOnesLeaveAtOnce(t *testing.T) {
	var q holdback.Queue[string]
	g := &gate{open: true}
	q.End(g, 1)
	q.Put(g, 2, "of step 2")
	q.Put(g, 1, "late")
	g.check(t, "late")
	q.Put(g, 2, "more")
	q.End(g, 2)
	g.check(t, "of step 2", "more")
}

// A step may go on after another has begun.
func TestQueue_Reopen(t *testing.T) {
	var q holdback.Queue[string]
	g := &gate{open: true}
	q.End(g, 1)
	q.Reopen(1)
	q.Put(g, 1, "a")
	q.Put(g, 2, "b")
	g.check(t)
	q.End(g, 2)
	g.check(t, "a", "b")
	q.Put(g, 1, "late again")
	g.check(t, "late again")
}

func TestQueue_EndTellsWhatIsKept(t *testing.T) {
	for _, n := range []int{0, 1, 2} {
		var q holdback.Queue[string]
		g := &gate{}
		for range n {
			q.Put(g, 1, "v")
		}
		if got, want := q.End(g, 1), n == 0; got != want {
			t.Errorf("End of a step with %d, not admitted, = %v, want %v", n, got, want)
		}
		g.open = true
		q.Put(g, 2, "v")
		if !q.End(g, 2) {
			t.Error("End of a step that is admitted = false, want true")
		}
	}
}

func TestQueue_Close(t *testing.T) {
	var q holdback.Queue[string]
	g := &gate{}
	q.Put(g, 1, "a")
	q.End(g, 1)
	q.Put(g, 2, "b")
	q.Close(g)
	g.open = true
	q.Release(g)
	g.check(t)
	q.Put(g, 2, "late, admitted")
	g.check(t, "late, admitted")
	g.open = false
	q.Put(g, 2, "late, not admitted")
	g.open = true
	q.Release(g)
	g.check(t)
}

func TestQueue_CloseSendsWhatIsAdmitted(t *testing.T) {
	var q holdback.Queue[string]
	g := &gate{}
	q.Put(g, 1, "a")
	q.End(g, 1)
	g.open = true
	q.Close(g)
	g.check(t, "a")
}

// What is put by whom Send calls leaves behind what is being sent.
func TestQueue_SendMayPut(t *testing.T) {
	var q holdback.Queue[string]
	g := &gate{open: true}
	g.on = func(v string) {
		if v == "a" {
			q.Put(g, 1, "c")
			q.Release(g)
		}
	}
	q.Put(g, 1, "a")
	q.Put(g, 1, "b")
	q.End(g, 1)
	g.check(t, "a", "b", "c")
}

// What comes back because it was not admitted goes behind what another goroutine
// is just sending.
func TestQueue_TakesBackWhileAnotherSends(t *testing.T) {
	var q holdback.Queue[string]
	sending, goOn, sent := make(chan struct{}), make(chan struct{}), make(chan struct{})
	begin := sync.OnceFunc(func() { close(sending) })
	k := &script{}
	k.send = func(v string) {
		k.sent = append(k.sent, v)
		begin()
		<-goOn
	}
	k.admit = func() bool { // asked of the step's own, while a late one comes
		k.admit = func() bool { return true }
		go func() {
			defer close(sent)
			q.Put(k, 1, "late")
		}()
		<-sending
		return false
	}
	q.End(k, 1)
	q.Put(k, 2, "own")
	if q.End(k, 2) {
		t.Error("End of a step that is not admitted = true, want false")
	}
	close(goOn)
	<-sent
	q.Release(k)
	if want := []string{"late", "own"}; !slices.Equal(k.sent, want) {
		t.Errorf("sent %q, want %q", k.sent, want)
	}
}

// script is a Keeper that does what a test says.
type script struct {
	admit func() bool
	send  func(v string)
	sent  []string
}

func (s *script) Admit() bool   { return s.admit() }
func (s *script) Send(v string) { s.send(v) }

// A Keeper that panics loses what it was about to send, and nothing else.
func TestQueue_SurvivesItsKeeper(t *testing.T) {
	for _, puts := range []int{1, 3} {
		var q holdback.Queue[string]
		g := &gate{open: true}
		g.on = func(string) { panic("oops") }
		for i := range puts {
			q.Put(g, 1, fmt.Sprint(i))
		}
		func() {
			defer func() { _ = recover() }()
			q.End(g, 1)
		}()
		g.on = nil
		q.Put(g, 1, "last")
		q.Release(g)
		want := []string{"0", "1", "2"}[:puts]
		g.check(t, append(want, "last")...)
	}
}

func TestQueue_AllocatesNothing(t *testing.T) {
	var q holdback.Queue[string]
	g := &gate{open: true, sent: make([]string, 0, 10_000)}
	step := uint64(0)
	allocs := testing.AllocsPerRun(1000, func() {
		step++
		q.Put(g, step, "v")
		q.End(g, step)
	})
	if allocs != 0 {
		t.Errorf("%v allocations a step, want 0", allocs)
	}
}

// valve is a Keeper for any number of goroutines.
type valve struct {
	open atomic.Bool

	mu   sync.Mutex
	sent []item
}

type item struct{ from, n int }

func (v *valve) Admit() bool { return v.open.Load() }

func (v *valve) Send(i item) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sent = append(v.sent, i)
}

// Whatever goes on at the same time, nothing is lost, nothing leaves twice, and
// each goroutine's own leave in order.
func TestQueue_Races(t *testing.T) {
	const putters, each = 4, 500
	for range 20 {
		var q holdback.Queue[item]
		v := &valve{}
		q.End(v, 1)
		var puts, all sync.WaitGroup
		for from := range putters {
			puts.Go(func() {
				for n := range each {
					q.Put(v, 1, item{from, n})
				}
			})
		}
		done := make(chan struct{})
		all.Go(func() { // the one who takes the steps
			step := uint64(1)
			for {
				select {
				case <-done:
					v.open.Store(true)
					q.Close(v)
					return
				default:
				}
				step++
				q.Put(v, step, item{putters, int(step) - 2})
				v.open.Store(step%3 != 0)
				q.End(v, step)
				if v.open.Load() {
					q.Release(v)
				}
			}
		})
		puts.Wait()
		close(done)
		all.Wait()
		next := make([]int, putters+1)
		for _, i := range v.sent {
			if i.n != next[i.from] {
				t.Fatalf("number %d of goroutine %d left, want %d", i.n, i.from, next[i.from])
			}
			next[i.from]++
		}
		for from, n := range next[:putters] {
			if n != each {
				t.Fatalf("%d of goroutine %d left, want %d", n, from, each)
			}
		}
	}
}

func BenchmarkQueue(b *testing.B) {
	var q holdback.Queue[item]
	k := open{}
	step := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		step++
		q.Put(k, step, item{})
		q.End(k, step)
	}
}

type open struct{}

func (open) Admit() bool { return true }
func (open) Send(item)   {}

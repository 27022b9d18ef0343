package actor_test

import (
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// gauge counts who is inside at the same time.
type gauge struct{ now, most atomic.Int32 }

func (g *gauge) enter() {
	n := g.now.Add(1)
	for {
		most := g.most.Load()
		if n <= most || g.most.CompareAndSwap(most, n) {
			return
		}
	}
}

func (g *gauge) leave() { g.now.Add(-1) }

// compute keeps a worker busy without blocking.
func (g *gauge) compute() {
	g.enter()
	defer g.leave()
	for range 20 {
		runtime.Gosched()
	}
}

// workers counts the workers of all systems; runtime.NumGoroutine is not exact.
func workers() int {
	all := make([]byte, 1<<20)
	return strings.Count(string(all[:runtime.Stack(all, true)]), "dispatch.(*Pool).hire")
}

func TestDispatcher_BoundsWhoComputes(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var g gauge
		var j journal
		for range 50 {
			pid := s.Spawn(j.puppet("it"))
			for range 20 {
				s.Send(pid, do(func(actor.Context) { g.compute() }))
			}
		}
		synctest.Wait()
		if most := g.most.Load(); most > 3 {
			t.Errorf("%d handlers computed at once, want at most 3", most)
		}
	}, actor.WithWorkers(3))
}

// A chain of actors each of which asks the next needs as many places as it is
// long, and gets them without any time passing.
func TestDispatcher_AHandlerThatAsksGivesItsPlaceAway(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		const length = 100
		start := time.Now()
		var last *actor.PID
		for range length {
			next := last
			last = s.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
				n, ok := ctx.Message().(int)
				switch {
				case !ok:
				case next == nil:
					ctx.Respond(n)
				default:
					reply, err := actor.Ask[int](ctx, ctx.System(), next, n+1)
					if err != nil {
						t.Error(err)
					}
					ctx.Respond(reply)
				}
			}))
		}
		if got, err := actor.Ask[int](t.Context(), s, last, 1); got != length || err != nil {
			t.Errorf("Ask = %d, %v, want %d", got, err, length)
		}
		if took := time.Since(start); took > 0 {
			t.Errorf("it took %v, want no time at all", took)
		}
	}, actor.WithWorkers(1))
}

func TestDispatcher_ReplacesHandlersThatBlock(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		const blocked = 100
		gate := make(chan struct{})
		before := workers()
		for range blocked {
			s.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
				if _, ok := ctx.Message().(*actor.Started); ok {
					<-gate
				}
			}))
		}
		pid := s.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if m, ok := ctx.Message().(string); ok {
				ctx.Respond(m)
			}
		}))
		f := s.RequestFuture(pid, "anybody there?", blocked*50*time.Millisecond)
		if v, err := f.Result(); err != nil {
			t.Errorf("Result = %v, %v, want the reply", v, err)
		}
		testkit.Advance(blocked * 50 * time.Millisecond) // it may have had its turn before some of them
		if n := workers() - before; n < blocked {
			t.Errorf("%d workers more, want one for each of %d blocked handlers", n, blocked)
		}
		close(gate)
		synctest.Wait()
		if n := workers() - before; n > 1 {
			t.Errorf("%d workers more after all, want 1 at most", n)
		}
	}, actor.WithWorkers(1))
}

// The excess ends as well when handlers give their places away by themselves
// and all come back at once.
func TestDispatcher_ExcessWorkersEnd(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var g gauge
		f := s.NewFuture(0)
		var j journal
		before := workers()
		for range 50 {
			pid := s.Spawn(j.puppet("it"))
			s.Send(pid, do(func(ctx actor.Context) { _, _ = f.Wait(ctx) }))
			s.Send(pid, do(func(actor.Context) { g.compute() }))
		}
		synctest.Wait()
		if n := workers() - before; n < 50 {
			t.Errorf("%d workers while 50 handlers wait, want more", n)
		}
		f.Complete(nil)
		synctest.Wait()
		if n := workers() - before; n > 2 {
			t.Errorf("%d workers in the end, want at most 2", n)
		}
		g.most.Store(0)
		for range 10 {
			s.Send(s.Spawn(j.puppet("it")), do(func(actor.Context) { g.compute() }))
		}
		synctest.Wait()
		if most := g.most.Load(); most > 2 {
			t.Errorf("%d handlers computed at once afterwards, want at most 2", most)
		}
	}, actor.WithWorkers(2))
}

// A goroutine that a handler leaves behind waits on nobody's place.
func TestDispatcher_AGoroutineThatOutlivesItsTurnHoldsNoPlace(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var g gauge
		var j journal
		f := s.NewFuture(0)
		for range 10 {
			s.Send(s.Spawn(j.puppet("it")), do(func(ctx actor.Context) {
				go func() { _, _ = f.Wait(ctx) }()
				pass(time.Microsecond) // so that it waits before the turn ends
			}))
			synctest.Wait()
		}
		testkit.Advance(time.Second)
		for range 20 {
			s.Send(s.Spawn(j.puppet("it")), do(func(actor.Context) { g.compute() }))
		}
		synctest.Wait()
		if most := g.most.Load(); most > 1 {
			t.Errorf("%d handlers computed at once, want 1", most)
		}
		f.Complete(nil)
	}, actor.WithWorkers(1))
}

func TestDispatcher_AHandlerMayEndItsGoroutine(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		pid := s.Spawn(j.puppet("it"))
		for range 10 {
			s.Send(pid, do(func(ctx actor.Context) {
				f := ctx.RequestFuture(ctx.Self(), "to be left", time.Millisecond)
				defer func() { _, _ = f.Wait(ctx) }() // blocks, and gives its place away, on its way out
				runtime.Goexit()
			}))
			testkit.Advance(time.Second)
		}
		j.take()
		s.Send(pid, "still there")
		j.check(t, "it: still there")
	}, actor.WithWorkers(1), actor.WithGuardian(actor.Strategy{MaxRestarts: -1}))
}

// Fairness: an actor that never runs dry does not keep others waiting.
func TestDispatcher_TakesTurns(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		stop := false
		busy := s.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(string); ok && !stop {
				ctx.Send(ctx.Self(), "again")
			}
		}))
		other := s.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if m, ok := ctx.Message().(string); ok {
				stop = true // one worker: no race
				ctx.Respond(m)
			}
		}))
		s.Send(busy, "start")
		if _, err := s.Ask(t.Context(), other, "my turn?"); err != nil {
			t.Error(err)
		}
	}, actor.WithWorkers(1))
}

func TestDispatcher_GivesTurnsUnderLoad(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		const actors, each = 50, 200
		var handled atomic.Int32
		pids := make([]*actor.PID, actors)
		for i := range pids {
			pids[i] = s.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
				n, ok := ctx.Message().(int)
				if !ok {
					return
				}
				handled.Add(1)
				if n%10 == 0 { // wait for another now and then
					_, _ = ctx.RequestFuture(ctx.Self(), "no reply", time.Millisecond).Wait(ctx)
				}
			}))
		}
		var wg sync.WaitGroup
		for i := range actors {
			wg.Go(func() {
				for n := range each {
					s.Send(pids[(i+n)%actors], n)
				}
			})
		}
		wg.Wait()
		testkit.Advance(time.Minute)
		if got := handled.Load(); got != actors*each {
			t.Errorf("%d messages were handled, want %d", got, actors*each)
		}
	}, actor.WithWorkers(2))
}

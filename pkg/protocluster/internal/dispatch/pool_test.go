package dispatch_test

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/dispatch"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// job runs a function in each of its turns.
type job struct {
	dispatch.Job
	run func()
}

func (j *job) TakeTurn() { j.run() }

// push queues a job that runs f once.
func push(p *dispatch.Pool, f func(j *job)) {
	j := new(job)
	j.Turn, j.run = j, func() { f(j) }
	p.Push(&j.Job)
}

// bubble runs f in a bubble with a pool of its own, which ends with it.
func bubble(t *testing.T, limit int, f func(t *testing.T, p *dispatch.Pool)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := dispatch.New(limit)
		f(t, p)
		<-p.Close()
	})
}

// gauge counts who computes at the same time.
type gauge struct {
	mu            sync.Mutex
	now, most, in int
}

func (g *gauge) add(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now += n
	g.in += max(n, 0)
	g.most = max(g.most, g.now)
}

func (g *gauge) compute() {
	g.add(1)
	defer g.add(-1)
	for range 20 {
		runtime.Gosched()
	}
}

func (g *gauge) check(t testing.TB, limit, total int) {
	t.Helper()
	synctest.Wait()
	if g.most > limit || g.in != total {
		t.Errorf("%d jobs had turns and %d at once, want %d, and %d at most", g.in, g.most, total, limit)
	}
}

func TestPool_BoundsWhoComputes(t *testing.T) {
	bubble(t, 3, func(t *testing.T, p *dispatch.Pool) {
		var g gauge
		for range 200 {
			push(p, func(*job) { g.compute() })
		}
		g.check(t, 3, 200)
	})
}

func TestPool_YieldGivesThePlaceAwayAtOnce(t *testing.T) {
	bubble(t, 2, func(t *testing.T, p *dispatch.Pool) {
		var g gauge
		start := time.Now()
		gate := make(chan struct{})
		for range 50 {
			push(p, func(j *job) {
				inner := j.Yield() // more than once is as good as once
				resume := j.Yield()
				<-gate
				resume()
				inner()
				runtime.Gosched()
			})
		}
		push(p, func(*job) { close(gate) })
		for range 50 {
			push(p, func(*job) { g.compute() })
		}
		g.check(t, 2, 50)
		if took := time.Since(start); took > 0 {
			t.Errorf("it took %v, want no time at all", took)
		}
	})
}

// Whoever finds more than one job sends the next worker, without a patrol: as
// many jobs as there are places may wait for one another.
func TestPool_FillsItsPlacesAtOnce(t *testing.T) {
	const places = 4
	bubble(t, places, func(t *testing.T, p *dispatch.Pool) {
		start := time.Now()
		for range 100 {
			var all sync.WaitGroup
			all.Add(places)
			for range places {
				push(p, func(*job) {
					all.Done()
					all.Wait()
				})
			}
			all.Wait()
			synctest.Wait() // all workers are idle again
		}
		if took := time.Since(start); took > 0 {
			t.Errorf("it took %v, want no time at all", took)
		}
	})
}

func TestPool_ReplacesWhatBlocks(t *testing.T) {
	bubble(t, 1, func(t *testing.T, p *dispatch.Pool) {
		var g gauge
		gate := make(chan struct{})
		for range 20 {
			push(p, func(*job) { <-gate })
		}
		done := make(chan struct{})
		push(p, func(*job) { close(done) })
		select {
		case <-done:
		case <-time.After(time.Second): // 21 ms each at the worst
			t.Error("a job waits behind those that block")
		}
		close(gate)
		synctest.Wait()
		for range 20 {
			push(p, func(*job) { g.compute() })
		}
		g.check(t, 1, 20)
	})
}

// Whoever pushes a job while the last worker is about to wait must not leave it lying:
// jobs that push one another, few enough for workers to wait again and again.
func TestPool_LeavesNoJobLying(t *testing.T) {
	for _, limit := range []int{1, 2, 4} {
		bubble(t, limit, func(t *testing.T, p *dispatch.Pool) {
			const players, hits = 3, 3000
			var left atomic.Int64
			left.Store(players * hits)
			for i := range players {
				var play func(j *job, hit int)
				play = func(j *job, hit int) {
					left.Add(-1)
					if hit++; hit == hits {
						return
					}
					next := func() { push(p, func(j *job) { play(j, hit) }) }
					switch (i + hit) % 3 {
					case 0:
						next()
					case 1:
						go next()
					case 2:
						defer j.Yield()()
						next()
					}
				}
				push(p, func(j *job) { play(j, 0) })
			}
			synctest.Wait()
			if n := left.Load(); n != 0 {
				t.Errorf("%d workers: %d jobs got no turn", limit, n)
			}
		})
	}
}

// Whoever gives way to what was pushed finds it done, if it does not block.
func TestPool_GiveWay(t *testing.T) {
	bubble(t, 1, func(t *testing.T, p *dispatch.Pool) {
		for range 1000 {
			var done atomic.Bool
			push(p, func(*job) { done.Store(true) })
			for !done.Load() {
				p.GiveWay(done.Load)
			}
		}
		gate := make(chan struct{})
		push(p, func(*job) { <-gate })
		p.GiveWay(func() bool { return false }) // returns all the same
		close(gate)
	})
}

// A job may ask for its next turn before its turn has ended.
func TestPool_AJobPushesItself(t *testing.T) {
	bubble(t, 4, func(t *testing.T, p *dispatch.Pool) {
		var left atomic.Int32
		left.Store(1000)
		push(p, func(j *job) {
			if left.Add(-1) > 0 {
				p.Push(&j.Job)
			}
			j.Yield()()
		})
		synctest.Wait()
		if n := left.Load(); n != 0 {
			t.Errorf("%d turns were not given", n)
		}
	})
}

// A turn may give its place away when it has long been taken for one that computes.
func TestPool_YieldFindsSomebodyForWhatWaits(t *testing.T) {
	bubble(t, 1, func(t *testing.T, p *dispatch.Pool) {
		start, first, second, done := time.Now(), make(chan struct{}), make(chan struct{}), false
		push(p, func(j *job) {
			<-first
			defer j.Yield()()
			<-second
		})
		synctest.Wait()
		push(p, func(*job) { done = true })
		close(first)
		synctest.Wait()
		if took := time.Since(start); took > 0 || !done {
			t.Errorf("the next had its turn: %v, after %v, want that at once", done, took)
		}
		close(second)
	})
}

// Whose place a patrol has given away leaves after its turn, whatever there is to do.
func TestPool_WhoGoesOnLeaves(t *testing.T) {
	bubble(t, 1, func(t *testing.T, p *dispatch.Pool) {
		var g gauge
		gate := make(chan struct{})
		push(p, func(*job) { <-gate })
		push(p, func(*job) { // in its place
			for range 50 {
				push(p, func(*job) { g.compute() })
			}
			close(gate)
			g.compute()
		})
		testkit.Advance(time.Second)
		g.check(t, 1, 51)
	})
}

// A goroutine of a job's that outlives its turn cannot give away a place that is
// another's by then, nor take one back.
func TestPool_YieldIsOverWithTheTurn(t *testing.T) {
	bubble(t, 1, func(t *testing.T, p *dispatch.Pool) {
		var g gauge
		late := make(chan struct{})
		for range 3 {
			push(p, func(j *job) {
				resume := j.Yield()
				go func() {
					<-late
					resume()
					j.Yield()()
					_ = j.Yield()
				}()
			})
		}
		synctest.Wait()
		for range 20 {
			push(p, func(*job) { g.compute() })
		}
		close(late)
		g.check(t, 1, 20)
		for range 20 {
			push(p, func(*job) { g.compute() })
		}
		g.check(t, 1, 40)
		gate := make(chan struct{})
		push(p, func(j *job) {
			defer j.Yield()()
			<-gate
		})
		push(p, func(*job) { close(gate) })
		synctest.Wait()
		select {
		case <-gate:
		default:
			t.Error("a yield gave no place away any more")
		}
	})
}

func TestPool_ATurnMayEndItsGoroutine(t *testing.T) {
	bubble(t, 1, func(t *testing.T, p *dispatch.Pool) {
		var g gauge
		for range 20 {
			push(p, func(j *job) {
				defer j.Yield()()
				runtime.Goexit()
			})
			push(p, func(*job) { runtime.Goexit() })
			push(p, func(*job) { g.compute() })
		}
		g.check(t, 1, 20)
	})
}

func TestPool_CloseGivesNoMoreTurns(t *testing.T) {
	bubble(t, 1, func(t *testing.T, p *dispatch.Pool) {
		var turns atomic.Int32
		gate := make(chan struct{})
		push(p, func(*job) { <-gate; turns.Add(1) })
		synctest.Wait()
		push(p, func(*job) { turns.Add(1) })
		gone := p.Close()
		push(p, func(*job) { turns.Add(1) })
		synctest.Wait()
		select {
		case <-gone:
			t.Error("a worker is gone in the middle of a turn")
		default:
		}
		close(gate)
		<-gone
		<-p.Close()
		if n := turns.Load(); n != 1 {
			t.Errorf("%d turns, want 1", n)
		}
	})
}

func BenchmarkPool(b *testing.B) {
	p := dispatch.New(0)
	var handled sync.WaitGroup
	handled.Add(b.N)
	b.ReportAllocs()
	for range b.N {
		push(p, func(*job) { handled.Done() })
	}
	handled.Wait()
	<-p.Close()
}

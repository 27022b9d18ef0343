package local

import (
	"context"
	"runtime"
	"sync"

	"github.com/protocluster/workshop/benchmarks/internal/tally"
)

// pool is a fixed number of workers over a run queue of the mailboxes that have
// messages. It is swapped out whole too: a worker takes a share of it at a time.
type pool struct {
	actors  []*pooled
	workers sync.WaitGroup

	mu     sync.Mutex
	ready  []*pooled
	idle   int
	closed bool
	work   sync.Cond
}

// pooled is an actor of a pool.
type pooled struct {
	pool    *pool
	counter *tally.Counter
	done    func()

	mu     sync.Mutex
	queue  []*tally.Tick
	spare  []*tally.Tick // what queue was before
	queued bool          // in the run queue, or with a worker
}

func newPool() *pool {
	p := &pool{}
	p.work.L = &p.mu
	for range runtime.GOMAXPROCS(0) {
		p.workers.Go(p.serve)
	}
	return p
}

func (p *pool) count(counters []*tally.Counter, done func()) {
	for _, c := range counters {
		p.actors = append(p.actors, &pooled{pool: p, counter: c, done: done})
	}
}

func (p *pool) send(first, last int, ticks []tally.Tick) {
	inTurn(p.actors[first:last], ticks, func(to *pooled, m *tally.Tick) { to.put(m) })
}

func (a *pooled) put(m *tally.Tick) {
	a.mu.Lock()
	a.queue = append(a.queue, m)
	first := !a.queued
	a.queued = true
	a.mu.Unlock()
	if first {
		a.pool.push(a)
	}
}

func (p *pool) push(a *pooled) {
	p.mu.Lock()
	p.ready = append(p.ready, a)
	wake := p.idle > 0
	p.mu.Unlock()
	if wake {
		p.work.Signal()
	}
}

// serve gives turns until the pool is closed.
func (p *pool) serve() {
	var share []*pooled
	for {
		if share = p.take(share[:0]); len(share) == 0 {
			return
		}
		for _, a := range share {
			a.turn()
		}
	}
}

// take moves up to a run of ready actors, the oldest, to share.
func (p *pool) take(share []*pooled) []*pooled {
	const run = 16
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.ready) == 0 && !p.closed {
		p.idle++
		p.work.Wait()
		p.idle--
	}
	n := min(run, len(p.ready))
	share = append(share, p.ready[:n]...)
	p.ready = p.ready[:copy(p.ready, p.ready[n:])]
	return share
}

// turn handles what is in the mailbox, once.
func (a *pooled) turn() {
	a.mu.Lock()
	run := a.queue
	a.queue, a.spare = a.spare[:0], nil
	a.mu.Unlock()
	for _, m := range run {
		if a.counter.Take(m) {
			a.done()
		}
	}
	a.mu.Lock()
	a.spare = run
	more := len(a.queue) > 0
	a.queued = more
	a.mu.Unlock()
	if more {
		a.pool.push(a)
	}
}

func (p *pool) close(context.Context) error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.work.Broadcast()
	p.workers.Wait()
	return nil
}

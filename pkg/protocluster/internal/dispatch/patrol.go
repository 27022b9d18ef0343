package dispatch

import (
	"runtime/metrics"
	"time"
)

// How a pool notices that a turn blocks: when jobs wait for a worker and none is
// free, it looks again after patrol. A worker that is still in the same turn
// gives its place to a spare one, at once if a processor is idle meanwhile, else
// (the turn computes, or others do) after so many looks.
const (
	patrol      = time.Millisecond
	patrolLooks = 20
)

// mark notes in which turn each worker is; p.mu is held.
func (p *Pool) mark() {
	for _, w := range p.workers {
		w.seen = w.turns.Load()
	}
}

// watch has patrol called; p.mu is held.
func (p *Pool) watch() {
	p.watching = true
	time.AfterFunc(patrol, p.patrol)
}

// patrol looks for turns that block while jobs wait.
func (p *Pool) patrol() {
	idle := processorIdle()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watching = false
	p.settle()
	if !p.waits() || p.closed || p.idle > 0 {
		return
	}
	if !idle && p.looks < patrolLooks {
		p.looks++ // the marks stay, so that only those stuck all along give way
	} else {
		p.looks = 0
		for _, w := range p.workers {
			p.replace(w)
		}
		p.mark()
	}
	p.watch()
	p.settle()
}

// replace gives the place of w away if it is in the turn that it was marked in; p.mu is
// held.
func (p *Pool) replace(w *worker) {
	if w.seen%2 == 0 || w.released > 0 || w.stuck {
		return
	}
	w.displaced.Store(true) // it looks at that once its turn has ended
	if w.turns.Load() != w.seen {
		return
	}
	w.stuck = true
	p.away++
	if p.room() > 0 {
		p.hire()
	}
}

// processorIdle reports whether fewer goroutines want to run than there are
// processors; the patrol itself is one of them.
func processorIdle() bool {
	sample := []metrics.Sample{
		{Name: "/sched/goroutines/runnable:goroutines"},
		{Name: "/sched/goroutines/running:goroutines"},
		{Name: "/sched/gomaxprocs:threads"},
	}
	metrics.Read(sample)
	return sample[0].Value.Uint64()+sample[1].Value.Uint64() <= sample[2].Value.Uint64()
}

// Package dispatch gives turns to those that have something to do, on a bounded
// pool of workers over one run queue. At most as many compute as the pool's
// limit says; one that blocks does not count until it goes on, and a spare
// worker takes its place.
//
// That bound is what keeps the rest of a process alive under load: goroutines
// that compute starve those that wait for the network. On two processors a round
// trip over loopback takes 0.1 ms beside none, 411 ms beside 16.
package dispatch

import (
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"
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

// Job is embedded in what gets turns. Turn is set before the first Push and
// stays.
type Job struct {
	Turn   Turner
	next   *Job                   // in the run queue, guarded by the pool
	worker atomic.Pointer[worker] // that gives it its turn
}

// Turner does a bounded piece of its work in a turn. No job has two turns at a
// time unless it is pushed again before its turn has ended.
type Turner interface{ TakeTurn() }

// Pool is a set of workers. Its methods may be called concurrently.
type Pool struct {
	limit int

	mu         sync.Mutex
	work       sync.Cond // a job was pushed, or closed
	head, tail *Job      // the run queue
	idle       int       // workers that wait and have not been signalled
	away       int       // workers whose turn blocks
	workers    []*worker
	watching   bool // a patrol is due
	looks      int  // patrols in a row that found no idle processor
	closed     bool
	running    sync.WaitGroup
}

// worker is a goroutine that gives turns.
type worker struct {
	d        *Pool
	place    int           // in d.workers; guarded by d.mu, as all below turns is
	turns    atomic.Uint64 // odd while it is in one
	released int           // yields that last, in this turn
	seen     uint64        // turns at the last patrol
	stuck    bool          // a patrol took its place away
}

// New returns a pool in which limit jobs compute at a time; 0 means twice
// GOMAXPROCS. It starts workers as they are needed; Close ends them.
func New(limit int) *Pool {
	if limit <= 0 {
		limit = 2 * runtime.GOMAXPROCS(0)
	}
	p := &Pool{limit: limit}
	p.work.L = &p.mu
	return p
}

// Push queues j for a turn, unless the pool is closed.
func (p *Pool) Push(j *Job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	j.next = nil
	if p.tail == nil {
		p.head = j
	} else {
		p.tail.next = j
	}
	p.tail = j
	p.employ()
}

// employ finds somebody for the head of the queue; d.mu is held.
func (p *Pool) employ() {
	switch {
	case p.idle > 0:
		p.idle--
		p.work.Signal()
	case len(p.workers)-p.away < p.limit:
		p.hire()
	case !p.watching:
		p.watching = true
		p.looks = 0
		p.mark()
		time.AfterFunc(patrol, p.look)
	}
}

func (p *Pool) hire() {
	w := &worker{d: p, place: len(p.workers)}
	p.workers = append(p.workers, w)
	p.running.Add(1)
	go w.serve()
}

// serve gives turns until there is no place left for the worker.
func (w *worker) serve() {
	d := w.d
	defer d.running.Done()
	defer w.leave() // also when a turn ends the goroutine
	for {
		j := w.next()
		if j == nil {
			return
		}
		w.turns.Add(1)
		j.worker.Store(w)
		j.Turn.TakeTurn()
		j.worker.CompareAndSwap(w, nil) // it may have its next turn already
		w.turns.Add(1)
	}
}

// next waits for a job; nil ends the worker.
func (w *worker) next() *Job {
	d := w.d
	d.mu.Lock()
	defer d.mu.Unlock()
	w.back()
	for d.head == nil && !d.closed && len(d.workers)-d.away <= d.limit {
		d.idle++
		d.work.Wait()
	}
	if d.head == nil || len(d.workers)-d.away > d.limit {
		return nil
	}
	j := d.head
	if d.head = j.next; d.head == nil {
		d.tail = nil
	}
	return j
}

// back takes its place again if that was given away in its turn; d.mu is held.
func (w *worker) back() {
	if w.stuck || w.released > 0 {
		w.stuck, w.released = false, 0
		w.d.away--
	}
}

// leave strikes the worker off; what it leaves behind is found another.
func (w *worker) leave() {
	d := w.d
	d.mu.Lock()
	defer d.mu.Unlock()
	w.back()
	last := d.workers[len(d.workers)-1]
	d.workers[w.place], last.place = last, w.place
	d.workers = d.workers[:len(d.workers)-1]
	if d.head != nil && !d.closed {
		d.employ()
	}
}

// mark notes in which turn each worker is; d.mu is held.
func (p *Pool) mark() {
	for _, w := range p.workers {
		w.seen = w.turns.Load()
	}
}

// look is the patrol.
func (p *Pool) look() {
	idle := processorIdle()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watching = false
	if p.head == nil || p.closed || p.idle > 0 {
		return
	}
	if !idle && p.looks < patrolLooks {
		p.looks++ // the marks stay, so that only those stuck all along give way
	} else {
		p.looks = 0
		for _, w := range p.workers {
			if now := w.turns.Load(); now%2 == 1 && now == w.seen && w.released == 0 && !w.stuck {
				w.stuck = true
				p.away++
				if len(p.workers)-p.away < p.limit {
					p.hire()
				}
			}
		}
		p.mark()
	}
	p.watching = true
	time.AfterFunc(patrol, p.look)
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

// Yield gives the place of the worker that runs j to another until the returned
// function is called. It is called within j's turn, before that blocks.
func (j *Job) Yield() (resume func()) {
	w := j.worker.Load()
	if w == nil {
		return func() {}
	}
	d := w.d
	d.mu.Lock()
	defer d.mu.Unlock()
	turn := w.turns.Load()
	if w.released++; w.released == 1 && !w.stuck {
		d.away++
	}
	if d.head != nil && !d.closed {
		d.employ()
	}
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if w.turns.Load() != turn {
			return // a goroutine of the job's outlived its turn
		}
		if w.released--; w.released == 0 && !w.stuck {
			d.away--
		}
	}
}

// Close ends the workers, each after the turn that it is in; what waits gets
// none. What is returned is closed when all have gone.
func (p *Pool) Close() (gone <-chan struct{}) {
	p.mu.Lock()
	p.closed = true
	p.head, p.tail = nil, nil
	p.work.Broadcast()
	p.mu.Unlock()
	done := make(chan struct{})
	go func() { // ends with the last worker
		p.running.Wait()
		close(done)
	}()
	return done
}

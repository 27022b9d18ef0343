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

// After so many workers that lingered in vain only one in so many does.
const fruitless = 16

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
	seeking    int       // workers that are about to look at the run queue
	away       int       // workers whose turn blocks
	inVain     int       // workers in a row that found nothing when they lingered, or did not
	workers    []*worker
	watching   bool // a patrol is due
	looks      int  // patrols in a row that found no idle processor
	closed     bool
	running    sync.WaitGroup
}

// worker is a goroutine that gives turns.
type worker struct {
	pool     *Pool
	place    int           // in pool.workers; guarded by pool.mu, as all below turns is
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

// employ finds somebody for the head of the queue; p.mu is held. One at a time
// is sent to look, and has the next sent if it leaves anything: short jobs are
// done before a second worker has woken.
func (p *Pool) employ() {
	switch {
	case p.seeking > 0:
	case p.idle > 0:
		p.idle--
		p.seeking++
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
	w := &worker{pool: p, place: len(p.workers)}
	p.workers = append(p.workers, w)
	p.seeking++
	p.running.Add(1)
	go w.serve()
}

// serve gives turns until there is no place left for the worker.
func (w *worker) serve() {
	p := w.pool
	defer p.running.Done()
	defer w.leave() // also when a turn ends the goroutine
	p.mu.Lock()
	p.seeking--
	p.mu.Unlock()
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
	p := w.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	w.back()
	for lingered := false; p.head == nil && !p.closed && len(p.workers)-p.away <= p.limit; lingered = true {
		w.wait(!lingered)
	}
	if p.head == nil || len(p.workers)-p.away > p.limit {
		return nil
	}
	j := p.head
	if p.head = j.next; p.head == nil {
		p.tail = nil
		return j
	}
	p.employ()
	return j
}

// wait returns when there may be a job; p.mu is held. To linger is to let those
// run that have just been woken, who often come with the next one: their jobs
// gather and nobody has to be signalled. While jobs come one at a time that is in
// vain, and 1.01 times the processor time of an ask between nodes.
func (w *worker) wait(linger bool) {
	p := w.pool
	if linger {
		if p.inVain++; p.inVain > fruitless && p.inVain%fruitless != 0 {
			return
		}
		p.seeking++
		p.mu.Unlock()
		runtime.Gosched()
		p.mu.Lock()
		if p.head != nil {
			p.inVain = 0
		}
	} else {
		p.idle++
		p.work.Wait() // whoever signals counts the seeker
	}
	p.seeking--
}

// back takes its place again if that was given away in its turn; p.mu is held.
func (w *worker) back() {
	if w.stuck || w.released > 0 {
		w.stuck, w.released = false, 0
		w.pool.away--
	}
}

// leave strikes the worker off; what it leaves behind is found another.
func (w *worker) leave() {
	p := w.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	w.back()
	last := p.workers[len(p.workers)-1]
	p.workers[w.place], last.place = last, w.place
	p.workers = p.workers[:len(p.workers)-1]
	if p.head != nil && !p.closed {
		p.employ()
	}
}

// mark notes in which turn each worker is; p.mu is held.
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
	p := w.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	turn := w.turns.Load()
	if w.released++; w.released == 1 && !w.stuck {
		p.away++
	}
	if p.head != nil && !p.closed {
		p.employ()
	}
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if w.turns.Load() != turn {
			return // a goroutine of the job's outlived its turn
		}
		if w.released--; w.released == 0 && !w.stuck {
			p.away--
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

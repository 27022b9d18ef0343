// Package dispatch gives turns to those that have something to do, on a bounded
// pool of workers. At most as many compute as the pool's limit says; one that
// blocks does not count until it goes on, and a spare worker takes its place.
//
// That bound is what keeps the rest of a process alive under load: goroutines
// that compute starve those that wait for the network. On two processors a round
// trip over loopback takes 0.1 ms beside none, 411 ms beside 16.
//
// Read pool.go first and then worker.go. share.go is a part of the run queue,
// manner.go says how goroutines let others run, and patrol.go finds turns that
// block.
package dispatch

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Job is embedded in what gets turns. Turn is set before the first Push and
// stays.
type Job struct {
	Turn   Turner
	worker atomic.Pointer[worker] // that gives it its turn
}

// Turner does a bounded piece of its work in a turn. No job has two turns at a
// time unless it is pushed again before its turn has ended.
type Turner interface{ TakeTurn() }

// Pool is a set of workers. Its methods may be called concurrently.
//
// Its run queue has a share for each processor, and a worker takes from that of the
// processor that it happens to be on: there the job, and what whoever pushed it has
// written, are in the cache. It looks at the others when it has waited for more in vain.
//
// Push takes mu only if that may have somebody see to the job: nobody is about to look
// (seeking), and somebody can be found (able). So whoever ceases to seek, or makes able
// true, looks at all shares after that.
type Pool struct {
	limit   int
	shares  []share
	seeking atomic.Int64 // workers that are about to look at the run queue
	able    atomic.Bool  // employ would do something; changes with mu held
	manner  manner
	_       [64]byte // what is read for each job is not on a line with what follows

	mu       sync.Mutex
	work     sync.Cond // a job was pushed, or closed
	idle     int       // workers that wait and have not been signalled
	away     int       // workers whose turn blocks
	workers  []*worker
	watching bool // a patrol is due
	looks    int  // patrols in a row that found no idle processor
	closed   bool
	running  sync.WaitGroup
}

// sharesMax bounds what a worker without work has to look at.
const sharesMax = 32

// New returns a pool in which limit jobs compute at a time; 0 means twice
// GOMAXPROCS. It starts workers as they are needed; Close ends them.
func New(limit int) *Pool {
	processors := runtime.GOMAXPROCS(0)
	if limit <= 0 {
		limit = 2 * processors
	}
	p := &Pool{limit: limit, shares: make([]share, min(processors, sharesMax))}
	p.work.L = &p.mu
	p.able.Store(true)
	return p
}

// Push queues j for a turn, unless the pool is closed. Jobs that are pushed on one
// processor get their turns in that order, as far as one worker sees to them.
func (p *Pool) Push(j *Job) {
	p.share(processor()).push(j)
	p.help()
}

// GiveWay lets others run before whoever has pushed a job and is about to wait for what
// comes of it: mostly that is done meanwhile, and nobody has to be parked and woken. It
// returns when it is done, or is not after all that is worth trying.
func (p *Pool) GiveWay(done func() bool) { p.manner.ask(done) }

func (p *Pool) share(i int) *share { return &p.shares[i%len(p.shares)] }

// waits reports whether any job does.
func (p *Pool) waits() bool {
	for i := range p.shares {
		if !p.shares[i].empty() {
			return true
		}
	}
	return false
}

// take takes a job, nil if there is none: the oldest of this processor's if it has any.
func (p *Pool) take() *Job {
	here := processor()
	for i := range p.shares {
		if j := p.share(here + i).pop(); j != nil {
			return j
		}
	}
	return nil
}

// help finds somebody for what waits, if need be.
func (p *Pool) help() {
	if p.seeking.Load() == 0 && p.able.Load() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.employ()
	}
}

// employ finds somebody for what waits; p.mu is held. One at a time is sent to look,
// and has the next sent if it leaves anything: short jobs are done before a second
// worker has woken.
func (p *Pool) employ() {
	switch {
	case p.closed || p.seeking.Load() > 0:
	case p.idle > 0:
		p.idle--
		p.seeking.Add(1)
		p.work.Signal()
	case p.room() > 0:
		p.hire()
	case !p.watching:
		p.looks = 0
		p.mark()
		p.watch()
	}
	p.settle()
}

// room is how many places are free, less than 0 if too many compute; p.mu is held.
func (p *Pool) room() int { return p.limit - (len(p.workers) - p.away) }

// settle keeps able after a change of what it follows from; p.mu is held.
func (p *Pool) settle() {
	able := !p.closed && (p.idle > 0 || p.room() > 0 || !p.watching)
	if able != p.able.Load() {
		p.able.Store(able)
	}
}

// reconsider is settle where there may be somebody for what waits; p.mu is held.
func (p *Pool) reconsider() {
	p.settle()
	if p.waits() {
		p.employ()
	}
}

func (p *Pool) hire() {
	w := &worker{pool: p, place: len(p.workers)}
	p.workers = append(p.workers, w)
	p.seeking.Add(1)
	p.running.Add(1)
	go w.serve()
}

// Close ends the workers, each after the turn that it is in; what waits gets
// none. What is returned is closed when all have gone.
func (p *Pool) Close() (gone <-chan struct{}) {
	p.mu.Lock()
	p.closed = true
	for i := range p.shares {
		p.shares[i].close()
	}
	p.settle()
	p.work.Broadcast()
	p.mu.Unlock()
	done := make(chan struct{})
	go func() { // ends with the last worker
		p.running.Wait()
		close(done)
	}()
	return done
}

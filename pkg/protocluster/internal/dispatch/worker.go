package dispatch

import "sync/atomic"

// worker is a goroutine that gives turns.
type worker struct {
	pool      *Pool
	looks     uint64        // at its processor's share
	lingers   uint64        // times that it lingered
	inVain    int           // times in a row that it lingered in vain, or did not
	turns     atomic.Uint64 // odd while it is in one
	displaced atomic.Bool   // its place was given away; changes with pool.mu held

	// guarded by pool.mu
	place    int    // in pool.workers
	released int    // yields that last, in this turn
	seen     uint64 // turns at the last patrol
	stuck    bool   // a patrol gave its place away
}

const (
	// Every so many looks a worker looks at another processor's share first, where
	// there may be no worker.
	elsewhere = 16
	// After so many times in a row that a worker lingered in vain it lingers only every
	// so many times.
	fruitless = 16
)

// serve gives turns until there is no place left for the worker.
func (w *worker) serve() {
	defer w.pool.running.Done()
	defer w.leave() // also when a turn ends the goroutine
	for j := w.first(); j != nil; j = w.next() {
		w.turns.Add(1)
		j.worker.Store(w)
		j.Turn.TakeTurn()
		j.worker.CompareAndSwap(w, nil) // it may have its next turn already
		w.turns.Add(1)
	}
}

// first is next for a worker that was hired.
func (w *worker) first() *Job {
	p := w.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seeking.Add(-1)
	return w.seek()
}

// next waits for a job; nil ends the worker.
func (w *worker) next() *Job {
	p := w.pool
	if !w.displaced.Load() {
		if j := w.look(); j != nil {
			return j
		}
		if j := w.linger(); j != nil {
			return j
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	w.back()
	return w.seek()
}

// look takes a job from this processor's share, now and then from another's; nil if it
// finds none.
func (w *worker) look() *Job {
	p := w.pool
	if w.looks++; w.looks%elsewhere == 0 {
		if j := p.share(int(w.looks / elsewhere)).pop(); j != nil {
			return j
		}
	}
	return p.share(processor()).pop()
}

// linger lets those run who have just been woken and often come with the next job:
// their jobs gather, and nobody has to be signalled. While jobs come one at a time that
// is in vain, and 1.01 times the processor time of an ask between nodes. It returns nil
// if it finds none on this processor.
func (w *worker) linger() *Job {
	p := w.pool
	if w.inVain++; w.inVain > fruitless && w.inVain%fruitless != 0 {
		return nil
	}
	p.seeking.Add(1)
	w.lingers++
	p.manner.linger(w.lingers)
	j := p.share(processor()).pop()
	p.seeking.Add(-1)
	if j == nil {
		p.manner.inVain()
		return nil // seek looks at all shares
	}
	if w.inVain = 0; p.waits() {
		p.help()
	}
	return j
}

// seek waits for a job, nil if there is no place for the worker any more; p.mu is held.
func (w *worker) seek() *Job {
	p := w.pool
	for !p.closed && p.room() >= 0 {
		if j := p.take(); j != nil {
			p.reconsider()
			return j
		}
		p.idle++
		p.settle()
		if p.waits() { // since before able was true
			p.idle--
			p.settle()
			continue
		}
		p.work.Wait()
		p.seeking.Add(-1) // whoever signals has counted it, and not as idle
	}
	return nil
}

// back takes its place again if that was given away; p.mu is held.
func (w *worker) back() {
	if w.stuck || w.released > 0 {
		w.stuck, w.released = false, 0
		w.pool.away--
	}
	w.displaced.Store(false)
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
	p.reconsider()
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
		w.displaced.Store(true)
	}
	p.reconsider()
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if w.turns.Load() != turn {
			return // a goroutine of the job's outlived its turn
		}
		if w.released--; w.released == 0 && !w.stuck {
			p.away--
			p.settle()
		}
	}
}

// Package mpsc is the queue of a mailbox: many producers append, one consumer
// takes what has gathered a run at a time.
//
// A mutex held for a few nanoseconds around a slice that changes hands whole
// beats lock-free queues as soon as a consumer finds more than one item, and
// it needs no memory per item.
package mpsc

import (
	"errors"
	"runtime"
	"sync"
)

// Why Push refuses an item.
var (
	ErrClosed = errors.New("mpsc: queue is closed")
	ErrFull   = errors.New("mpsc: queue is full")
)

// Queue is a first-in-first-out queue of any length, of items that something may come
// with. The zero value is empty and open.
type Queue[T any, X comparable] struct {
	mu      sync.Mutex
	items   []T    // the youngest, a slab at most
	waiting uint32 // in items and more
	closed  bool
	with    []X            // of items, as a Run has it
	more    *backlog[T, X] // nil until more has gathered
}

// backlog is what has gathered beyond a slab, and slabs to use again: a slice
// that grew as a whole would be copied each time that it does, which took a
// third of a sender's time.
type backlog[T any, X comparable] struct {
	full  []Run[T, X] // the oldest first, from taken on
	taken int
	empty []Run[T, X]
}

// slab is how many items gather in one slice.
const slab = 256

// After every stride items that gather, a producer lets other goroutines go
// first: one that has a processor to itself for 10 ms would else push 300,000
// before the consumer has a chance. What gathers stays in the cache: eight
// producers with a queue each are twice as fast, eight with one 1.5 times.
const stride = 1024

// Push appends v and what comes with it, or returns ErrClosed, or ErrFull if limit items
// wait already. It never blocks for longer than another push takes. A producer that had
// to wait for another lets the consumer go first if that has work: two that push at
// a time take the lock from each other's cache for each item, and both processors.
func (q *Queue[T, X]) Push(v T, x X, limit int) error {
	contended := !q.mu.TryLock()
	if contended {
		q.mu.Lock()
	}
	if err := q.refuses(1, limit); err != nil {
		q.mu.Unlock()
		return err
	}
	if len(q.items) == cap(q.items) {
		q.grow()
	}
	q.with = attach(q.with, len(q.items), x)
	q.items = append(q.items, v)
	q.waiting++
	waiting := q.waiting
	q.mu.Unlock()
	if waiting%stride == 0 || contended && waiting > slab {
		runtime.Gosched()
	}
	return nil
}

// PushAll is Push for n items, of which at returns each: all are appended, or none.
func (q *Queue[T, X]) PushAll(n int, at func(i int) (T, X), limit int) error {
	q.mu.Lock()
	if err := q.refuses(n, limit); err != nil {
		q.mu.Unlock()
		return err
	}
	before := q.waiting
	q.waiting += uint32(n)
	waiting := q.waiting
	for i := range n {
		if len(q.items) == cap(q.items) {
			q.grow()
		}
		v, x := at(i)
		q.with = attach(q.with, len(q.items), x)
		q.items = append(q.items, v)
	}
	q.mu.Unlock()
	if waiting/stride != before/stride {
		runtime.Gosched()
	}
	return nil
}

// refuses says why there is no room for n more, if so; q.mu is held.
func (q *Queue[T, X]) refuses(n, limit int) error {
	switch {
	case q.closed:
		return ErrClosed
	case int(q.waiting) > limit-n:
		return ErrFull
	}
	return nil
}

// grow makes room where append would not do that well; q.mu is held. What most actors
// need, room for one item, is in one place.
func (q *Queue[T, X]) grow() {
	switch n := cap(q.items); {
	case n >= slab:
		q.shelve()
	case n == 0:
		first := new(struct {
			item [1]T
			with [1]X
		})
		q.items, q.with = first.item[:0], first.with[:0]
	}
}

// shelve makes room for the next slab; q.mu is held.
func (q *Queue[T, X]) shelve() {
	if q.more == nil {
		q.more = new(backlog[T, X])
	}
	b := q.more
	if len(b.full) == cap(b.full) && b.taken > 0 {
		b.full = b.full[:copy(b.full, b.full[b.taken:])]
		b.taken = 0
	}
	b.full = append(b.full, Run[T, X]{items: q.items, with: q.with})
	if n := len(b.empty) - 1; n >= 0 {
		q.items, q.with, b.empty = b.empty[n].items, b.empty[n].with, b.empty[:n]
		// It lies in the cache of the consumer's processor. Written as a whole it
		// comes back in one go; else every other push waits for its place: 1.1
		// times as many messages 1→1.
		clear(q.items[:slab])
		return
	}
	q.items, q.with = make([]T, 0, slab), nil
}

// Swap has r be the oldest items, in order, and keeps its memory for those to come: the
// items that r was must all be done. So a few slices serve a queue for ever.
func (q *Queue[T, X]) Swap(r *Run[T, X]) {
	r.items, r.with, r.next = r.items[:0], r.with[:0], 0
	q.mu.Lock()
	b := q.more
	if b != nil && b.taken < len(b.full) {
		spare := *r
		*r = b.full[b.taken]
		if b.taken++; b.taken == len(b.full) {
			b.full, b.taken = b.full[:0], 0
		}
		if spare.Roomy(slab - 1) {
			b.empty = append(b.empty, spare)
		}
	} else {
		r.items, q.items = q.items, r.items
		r.with, q.with = q.with, r.with
	}
	q.waiting -= uint32(len(r.items))
	q.mu.Unlock()
}

// Trim gives back the memory of the queue and of r, what the consumer has taken, unless
// items wait in either.
func (q *Queue[T, X]) Trim(r *Run[T, X]) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.waiting == 0 && r.Empty() {
		q.items, q.with, q.more = nil, nil, nil
		*r = Run[T, X]{}
	}
}

// Empty reports whether nothing waits.
func (q *Queue[T, X]) Empty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting == 0
}

// Close refuses all further items and appends those that wait to r.
func (q *Queue[T, X]) Close(r *Run[T, X]) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	if b := q.more; b != nil {
		for _, older := range b.full[b.taken:] {
			r.Append(older)
		}
	}
	r.Append(Run[T, X]{items: q.items, with: q.with})
	q.items, q.with, q.more, q.waiting = nil, nil, nil, 0
}

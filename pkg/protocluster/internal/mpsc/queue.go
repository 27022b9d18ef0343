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
	"slices"
	"sync"
)

// Why Push refuses an item.
var (
	ErrClosed = errors.New("mpsc: queue is closed")
	ErrFull   = errors.New("mpsc: queue is full")
)

// Queue is a first-in-first-out queue of any length. The zero value is empty
// and open.
type Queue[T any] struct {
	mu      sync.Mutex
	items   []T         // the youngest, a slab at most
	older   *backlog[T] // nil until more has gathered
	waiting uint32      // in items and older
	closed  bool
}

// backlog is what has gathered beyond a slab, and slabs to use again: a slice
// that grew as a whole would be copied each time that it does, which took a
// third of a sender's time.
type backlog[T any] struct {
	full  [][]T // the oldest first, from taken on
	taken int
	empty [][]T
}

// slab is how many items gather in one slice.
const slab = 256

// After every stride items that gather, a producer lets other goroutines go
// first: one that has a processor to itself for 10 ms would else push 300,000
// before the consumer has a chance. What gathers stays in the cache: eight
// producers with a queue each are twice as fast, eight with one 1.5 times.
const stride = 1024

// Push appends v, or returns ErrClosed, or ErrFull if limit items wait already.
// It never blocks for longer than another push takes. A producer that had to
// wait for another lets the consumer go first if that has work: two that push at
// a time take the lock from each other's cache for each item, and both processors.
func (q *Queue[T]) Push(v T, limit int) error {
	contended := !q.mu.TryLock()
	if contended {
		q.mu.Lock()
	}
	if err := q.refuses(1, limit); err != nil {
		q.mu.Unlock()
		return err
	}
	if len(q.items) == slab {
		q.shelve()
	}
	q.items = append(q.items, v)
	q.waiting++
	waiting := q.waiting
	q.mu.Unlock()
	if waiting%stride == 0 || contended && waiting > slab {
		runtime.Gosched()
	}
	return nil
}

// PushAll is Push for several items: all are appended, or none.
func (q *Queue[T]) PushAll(all []T, limit int) error {
	q.mu.Lock()
	if err := q.refuses(len(all), limit); err != nil {
		q.mu.Unlock()
		return err
	}
	before := q.waiting
	q.waiting += uint32(len(all))
	waiting := q.waiting
	for len(all) > 0 {
		if len(q.items) == slab {
			q.shelve()
		}
		n := min(slab-len(q.items), len(all))
		q.items = append(q.items, all[:n]...)
		all = all[n:]
	}
	q.mu.Unlock()
	if waiting/stride != before/stride {
		runtime.Gosched()
	}
	return nil
}

// refuses says why there is no room for n more, if so; q.mu is held.
func (q *Queue[T]) refuses(n, limit int) error {
	switch {
	case q.closed:
		return ErrClosed
	case int(q.waiting) > limit-n:
		return ErrFull
	}
	return nil
}

// shelve makes room for the next slab; q.mu is held.
func (q *Queue[T]) shelve() {
	b := q.older
	if b == nil {
		b = new(backlog[T])
		q.older = b
	}
	if len(b.full) == cap(b.full) && b.taken > 0 {
		b.full = b.full[:copy(b.full, b.full[b.taken:])]
		b.taken = 0
	}
	b.full = append(b.full, q.items)
	if n := len(b.empty) - 1; n >= 0 {
		q.items, b.empty = b.empty[n], b.empty[:n]
		// It lies in the cache of the consumer's processor. Written as a whole it
		// comes back in one go; else every other push waits for its place: 1.1
		// times as many messages 1→1.
		clear(q.items[:slab])
		return
	}
	q.items = make([]T, 0, slab)
}

// Swap takes the oldest items, in order, and keeps spare for those to come. The
// consumer hands back what it took as the next spare once it has cleared it, so
// a few slices serve a queue for ever.
func (q *Queue[T]) Swap(spare []T) []T {
	q.mu.Lock()
	items := q.items
	if b := q.older; b != nil && b.taken < len(b.full) {
		items = b.full[b.taken]
		if b.taken++; b.taken == len(b.full) {
			b.full, b.taken = b.full[:0], 0
		}
		if cap(spare) >= slab {
			b.empty = append(b.empty, spare[:0])
		}
	} else {
		q.items = spare[:0]
	}
	q.waiting -= uint32(len(items))
	q.mu.Unlock()
	return items
}

// Trim gives back the memory of an empty queue; false if items wait.
func (q *Queue[T]) Trim() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.waiting > 0 {
		return false
	}
	q.items, q.older = nil, nil
	return true
}

// Empty reports whether nothing waits.
func (q *Queue[T]) Empty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting == 0
}

// Close refuses all further items and returns those that wait.
func (q *Queue[T]) Close() []T {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	items := q.items
	if b := q.older; b != nil && b.taken < len(b.full) {
		items = append(slices.Concat(b.full[b.taken:]...), items...)
	}
	q.items, q.older, q.waiting = nil, nil, 0
	return items
}

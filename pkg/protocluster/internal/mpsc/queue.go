// Package mpsc is the queue of a mailbox: many producers append, one consumer
// takes everything that has gathered in one swap.
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

// Queue is a first-in-first-out queue of any length. The zero value is empty
// and open.
type Queue[T any] struct {
	mu     sync.Mutex
	items  []T
	closed bool
}

// After every stride items that gather, a producer lets other goroutines go
// first: one that has a processor to itself for 10 ms would else push 300,000
// before the consumer has a chance. What gathers stays in the cache: eight
// producers with a queue each are twice as fast, eight with one 1.5 times.
const stride = 1024

// Push appends v, or returns ErrClosed, or ErrFull if limit items wait already.
// It never blocks for longer than another push takes.
func (q *Queue[T]) Push(v T, limit int) error {
	q.mu.Lock()
	if q.closed || len(q.items) >= limit {
		defer q.mu.Unlock()
		if q.closed {
			return ErrClosed
		}
		return ErrFull
	}
	q.items = append(q.items, v)
	waiting := len(q.items)
	q.mu.Unlock()
	if waiting%stride == 0 {
		runtime.Gosched()
	}
	return nil
}

// PushAll is Push for several items: all are appended, or none.
func (q *Queue[T]) PushAll(all []T, limit int) error {
	q.mu.Lock()
	before := len(q.items)
	if q.closed || before+len(all) > limit {
		defer q.mu.Unlock()
		if q.closed {
			return ErrClosed
		}
		return ErrFull
	}
	q.items = append(q.items, all...)
	waiting := len(q.items)
	q.mu.Unlock()
	if waiting/stride != before/stride {
		runtime.Gosched()
	}
	return nil
}

// Swap takes all items in order and leaves spare, emptied, in their place. The
// consumer hands back what it took as the next spare once it has cleared it,
// so two slices serve a queue for ever.
func (q *Queue[T]) Swap(spare []T) []T {
	q.mu.Lock()
	items := q.items
	q.items = spare[:0]
	q.mu.Unlock()
	return items
}

// Trim gives back the memory of an empty queue; false if items wait.
func (q *Queue[T]) Trim() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) > 0 {
		return false
	}
	q.items = nil
	return true
}

// Pop takes the first item alone; false if there is none.
func (q *Queue[T]) Pop() (v T, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) == 0 {
		return v, false
	}
	v, q.items[0] = q.items[0], v
	if q.items = q.items[1:]; len(q.items) == 0 {
		q.items = nil
	}
	return v, true
}

// Empty reports whether nothing waits.
func (q *Queue[T]) Empty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items) == 0
}

// Close refuses all further items and returns those that wait.
func (q *Queue[T]) Close() []T {
	q.mu.Lock()
	defer q.mu.Unlock()
	items := q.items
	q.items, q.closed = nil, true
	return items
}

// Package holdback keeps what somebody wants to send until it may leave: the
// replies of an actor whose node may have lost the right to give any.
//
// What is put in the course of one step (the handling of one message) leaves
// when that has ended and its Keeper admits it; what a goroutine puts that goes
// on after the step, when the Keeper admits that. What is not admitted stays
// until Release finds that it is. Values leave in the order in which they were
// put, except that one put after its step has ended may overtake the step's own
// that are just being sent.
package holdback

import (
	"math"
	"slices"
	"sync"
)

// Keeper says whether what is kept may leave, and sends it. Its methods must not
// block; they are called without a lock, by any number of goroutines at a time.
type Keeper[T any] interface {
	Admit() bool
	Send(v T)
}

// lean is how many values a queue has room for while it is empty.
const lean = 8

// Queue keeps values. The zero value is empty. Put may be called by any goroutine
// at any time; the others by the one who takes the steps. The Keeper is always
// the same.
type Queue[T any] struct {
	mu     sync.Mutex
	kept   []T
	room   [1]T   // of kept, until that needs more: mostly never
	ready  int    // so many of kept wait for the Keeper only, the rest for the end of their step
	ended  uint64 // the last step that has
	again  uint64 // a step before that goes on; 0: none
	asked  uint   // counts calls of release
	busy   bool   // somebody sends what is ready, or asks whether to
	closed bool
}

// Put keeps v, which was made in the course of step, a number over 0 that grows
// from one step to the next. It leaves here and now if that step has ended.
func (q *Queue[T]) Put(k Keeper[T], step uint64, v T) {
	q.mu.Lock()
	if q.kept == nil {
		q.kept = q.room[:0]
	}
	if step > q.ended || step == q.again {
		q.kept = append(q.kept, v)
		q.mu.Unlock()
		return
	}
	q.kept = slices.Insert(q.kept, q.ready, v)
	q.ready++
	q.release(k)
}

// Reopen goes on with a step that has ended, in the course of another; both end
// together.
func (q *Queue[T]) Reopen(step uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.again = step
}

// End ends step; what was put in its course leaves if that is admitted now, of
// which it reports false if it is not.
func (q *Queue[T]) End(k Keeper[T], step uint64) bool {
	q.mu.Lock()
	q.ended, q.again = max(q.ended, step), 0
	if len(q.kept) != 1 || q.ready > 0 || q.busy {
		q.ready = len(q.kept)
		return q.release(k)
	}
	v := q.kept[0] // a single one, as of most steps, at less than half the price
	clear(q.kept)
	q.kept = q.kept[:0]
	q.mu.Unlock()
	if k.Admit() {
		k.Send(v)
		return true
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	at := 0
	if q.busy { // what is ready is just being sent, from the front
		at = q.ready
	}
	q.kept = slices.Insert(q.kept, at, v)
	q.ready++
	return false
}

// Release has leave what was not admitted before, if it is now.
func (q *Queue[T]) Release(k Keeper[T]) {
	q.mu.Lock()
	q.release(k)
}

// Close ends all steps: from then on what is not admitted is dropped.
func (q *Queue[T]) Close(k Keeper[T]) {
	q.mu.Lock()
	q.closed, q.ended, q.again, q.ready = true, math.MaxUint64, 0, len(q.kept)
	q.release(k)
}

// release is called with q.mu held, and unlocks it. One goroutine at a time
// sends; those that ask meanwhile leave it to that one, which then asks again.
func (q *Queue[T]) release(k Keeper[T]) bool {
	defer q.mu.Unlock()
	if q.asked++; q.busy || q.ready == 0 {
		return true
	}
	q.busy = true
	defer func() { q.busy = false }()
	for asked := q.asked - 1; asked != q.asked && q.ready > 0; {
		asked = q.asked
		q.send(k)
	}
	if len(q.kept) == 0 && cap(q.kept) > lean {
		q.kept = nil
	}
	return q.ready == 0
}

// send sends what is ready if k admits it. It unlocks q.mu meanwhile: others may
// put more behind that.
func (q *Queue[T]) send(k Keeper[T]) {
	ready, gone, closed := q.kept[:q.ready], 0, q.closed
	q.mu.Unlock()
	defer func() { // k may panic
		q.mu.Lock()
		q.kept, q.ready = slices.Delete(q.kept, 0, gone), q.ready-gone
	}()
	if !k.Admit() {
		if closed {
			gone = len(ready)
		}
		return
	}
	for _, v := range ready {
		gone++
		k.Send(v)
	}
}

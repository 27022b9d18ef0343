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

// Queue keeps values. The zero value is empty. Put may be called by any goroutine
// at any time; the others by the one who takes the steps. The Keeper is always
// the same.
//
// It has room for the one value of most steps, and not for what others need: each of
// many is somewhere else in memory, and has to be fetched for each value.
type Queue[T any] struct {
	mu    sync.Mutex
	ended uint64   // the last step that has, twice, and one more while own is kept
	own   T        // of the step that has not ended, if it is all that is kept
	rest  *rest[T] // all that is kept, if it is more
}

// over is the step that has ended when all have.
const over = math.MaxUint64 >> 1

// rest is more than one value, or what had to wait.
type rest[T any] struct {
	kept  []T
	ready int    // so many of kept wait for the Keeper only, the others for the end of their step
	again uint64 // a step before that goes on; 0: none
	asked uint   // counts calls of release
	busy  bool   // somebody sends what is ready, or asks whether to
}

// Put keeps v, which was made in the course of step, a number over 0 that grows
// from one step to the next. It leaves here and now if that step has ended.
func (q *Queue[T]) Put(k Keeper[T], step uint64, v T) {
	q.mu.Lock()
	open := step > q.ended>>1
	if open && q.rest == nil && !q.keepsOwn() {
		q.own = v
		q.ended++
		q.mu.Unlock()
		return
	}
	r := q.spill()
	if open || step == r.again {
		r.kept = append(r.kept, v)
		q.mu.Unlock()
		return
	}
	r.kept = slices.Insert(r.kept, r.ready, v)
	r.ready++
	q.release(k)
}

// spill makes room for more than one value. It is called with q.mu held, as are all
// that follow Close.
func (q *Queue[T]) spill() *rest[T] {
	if q.rest == nil {
		q.rest = new(rest[T])
		if q.keepsOwn() {
			q.rest.kept = []T{q.take()}
		}
	}
	return q.rest
}

func (q *Queue[T]) keepsOwn() bool { return q.ended&1 == 1 }

// take takes the step's own value.
func (q *Queue[T]) take() T {
	v, none := q.own, *new(T)
	q.own = none
	q.ended--
	return v
}

// Reopen goes on with a step that has ended, in the course of another; both end
// together.
func (q *Queue[T]) Reopen(step uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.spill().again = step
}

// End ends step; what was put in its course leaves if that is admitted now, of
// which it reports false if it is not.
func (q *Queue[T]) End(k Keeper[T], step uint64) bool {
	q.mu.Lock()
	if q.rest != nil {
		q.end(step)
		return q.release(k)
	}
	own := q.keepsOwn()
	var v T
	if own {
		v = q.take()
	}
	q.end(step)
	q.mu.Unlock()
	if !own {
		return true
	}
	if k.Admit() {
		k.Send(v)
		return true
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ended>>1 == over {
		return false
	}
	r, at := q.spill(), 0
	if r.busy { // what is ready is just being sent, from the front
		at = r.ready
	}
	r.kept = slices.Insert(r.kept, at, v)
	r.ready++
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
	if q.keepsOwn() {
		q.spill()
	}
	q.end(over)
	q.release(k)
}

// end ends step, of which nothing is kept but by q.rest.
func (q *Queue[T]) end(step uint64) {
	q.ended = max(q.ended, step<<1)
	if r := q.rest; r != nil {
		r.again, r.ready = 0, len(r.kept)
	}
}

// release unlocks q.mu. One goroutine at a time sends; those that ask meanwhile leave
// it to that one, which then asks again.
func (q *Queue[T]) release(k Keeper[T]) bool {
	defer q.mu.Unlock()
	r := q.rest
	if r == nil {
		return true
	}
	if r.asked++; r.busy {
		return true
	}
	r.busy = true
	defer func() {
		if r.busy = false; len(r.kept) == 0 && r.again == 0 {
			q.rest = nil
		}
	}()
	for asked := r.asked - 1; asked != r.asked && r.ready > 0; {
		asked = r.asked
		q.send(k, r)
	}
	return r.ready == 0
}

// send sends what is ready if k admits it. It unlocks q.mu meanwhile: others may
// put more behind that.
func (q *Queue[T]) send(k Keeper[T], r *rest[T]) {
	ready, gone, closed := r.kept[:r.ready], 0, q.ended>>1 == over
	q.mu.Unlock()
	defer func() { // k may panic
		q.mu.Lock()
		r.kept, r.ready = slices.Delete(r.kept, 0, gone), r.ready-gone
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

package actor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Future is a reply to come. It is complete once, with a value or an error, and
// any number of goroutines may wait for that.
type Future struct {
	pid    PID
	system *System
	meta   Meta          // what the request carries
	state  atomic.Uint32 // sent, late and complete; value and err stay once that is set

	mu    sync.Mutex
	route Route // of the request, if it goes to another node
	value any
	err   error
	done  chan struct{}              // made for the first that asks for it
	waker chan struct{}              // of the first that awaits f: gets one value
	id    string                     // under which other nodes know it, once they do
	then  func(value any, err error) // nil: nothing
}

// What the state of a future says.
const (
	sent = 1 << iota // the request may have reached its actor
	late             // it is not to be sent any more
	complete
)

// NewFuture returns a future that nobody has asked for yet: whoever gets its
// PID can complete it. It fails after timeout; 0 means never.
func (s *System) NewFuture(timeout time.Duration) *Future {
	f := &Future{system: s}
	f.pid.Address, f.pid.future = s.Address(), f
	if timeout != 0 {
		f.meta.Deadline = time.Now().Add(timeout)
		t := time.AfterFunc(timeout, func() { f.expire(timeout, context.DeadlineExceeded) })
		f.onDone(func(any, error) { t.Stop() })
	}
	return f
}

// Route is the way of a request that has not been sent yet.
type Route interface {
	// Explain says what keeps the request from being sent, or nil.
	Explain() error
}

// SetRoute has a time-out before the request was sent explained by r.
// Transports call it.
func (f *Future) SetRoute(r Route) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.route = r
}

// expire ends the wait with an error that says what became of the request; why
// is what the waiting context says. The request is not sent after that.
func (f *Future) expire(after time.Duration, why error) {
	f.mu.Lock()
	route := f.route
	f.mu.Unlock()
	var cause error
	if route != nil {
		cause = route.Explain()
	}
	f.end(nil, func() error {
		t := &TimeoutError{After: after, Class: ErrNotDelivered, Cause: cause}
		if f.state.Or(late)&sent != 0 {
			t.Class, t.Cause = ErrUnknownOutcome, nil
		}
		if errors.Is(why, context.DeadlineExceeded) {
			return t
		}
		return fmt.Errorf("%w: %w", t.Class, why)
	})
}

// envelope is message with f as its sender.
func (f *Future) envelope(message any) Envelope {
	e := Envelope{Message: message, Sender: &f.pid}
	if !f.meta.Deadline.IsZero() {
		e.Meta = &f.meta
	}
	return e
}

// PID is where the reply is to be sent.
func (f *Future) PID() *PID { return &f.pid }

// MarkSent notes that the request is about to leave: if no reply comes, its
// outcome is unknown. False means that nobody waits any more; the request must
// then be dropped, for the wait may have ended with ErrNotDelivered. No future, nil,
// waits for ever.
func (f *Future) MarkSent() bool { return f == nil || f.state.Or(sent)&late == 0 }

// Complete ends the wait with value; false if it had ended before. An error is
// the actor's own, a *ReplyError, unless it is a *RejectedError.
func (f *Future) Complete(value any) bool {
	switch err := value.(type) {
	case *RejectedError:
		return f.Fail(err)
	case error:
		return f.Fail(&ReplyError{err})
	}
	return f.end(value, nil)
}

// Fail ends the wait with err; false if it had ended before.
func (f *Future) Fail(err error) bool { return f.end(nil, func() error { return err }) }

// end completes f with value, or with what err returns under the lock.
func (f *Future) end(value any, err func() error) bool {
	f.mu.Lock()
	if f.Completed() {
		f.mu.Unlock()
		return false
	}
	f.value = value
	if err != nil {
		f.err = err()
	}
	f.state.Or(late | complete)
	if f.done != nil {
		close(f.done)
	}
	then, id, waker := f.then, f.id, f.waker
	f.then, f.route = nil, nil
	f.mu.Unlock()
	if waker != nil {
		waker <- struct{}{}
	}
	if id != "" {
		f.system.registry.Remove(id)
	}
	if then != nil {
		then(f.value, f.err)
	}
	return true
}

// publish makes f findable by id.
func (f *Future) publish() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.id == "" && !f.Completed() {
		f.id = f.system.nextID(futurePrefix)
		f.system.registry.Add(f.id, &f.pid)
	}
	return f.id
}

// Done is closed when the future is complete.
func (f *Future) Done() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done == nil {
		f.done = make(chan struct{})
		if f.Completed() {
			close(f.done)
		}
	}
	return f.done
}

// Completed reports whether there is nothing more to wait for.
func (f *Future) Completed() bool { return f.state.Load()&complete != 0 }

// Result waits for the reply, or for the time-out that f was made with.
func (f *Future) Result() (any, error) {
	return f.Wait(context.Background()) //nolint:forbidigo // the future has a time-out of its own
}

// Wait waits for the reply until ctx ends, which ends this wait and not the
// future: the error is then ErrUnknownOutcome. In a handler, pass the handler's
// Context, or one made from it: its worker then serves other actors meanwhile.
func (f *Future) Wait(ctx context.Context) (any, error) {
	_ = f.await(ctx, time.Time{})
	if !f.Completed() {
		return nil, fmt.Errorf("%w: %w", ErrUnknownOutcome, context.Cause(ctx))
	}
	return f.value, f.err
}

// await returns nil when f is complete, or why it waits no more: ctx has ended, or
// the time has come, unless that is zero.
func (f *Future) await(ctx context.Context, until time.Time) error {
	done, own := f.enlist()
	if done == nil {
		return nil
	}
	if c, ok := ctx.Value(cellKey{}).(*cell); ok {
		defer c.Yield()()
	}
	if err := f.system.alarms.Wait(ctx, done, until); err != nil {
		return err // a waker may get its value yet, and is not used again
	}
	if own {
		f.system.wakers.Put(done)
	}
	return nil
}

// enlist returns what yields when f is complete, nil if it is, and whether that
// is the caller's own and to be put back: most futures have one that waits, which
// need not make a channel for it.
func (f *Future) enlist() (done chan struct{}, own bool) {
	if f.Completed() {
		return nil, false // mostly, where the actor is in this process
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.Completed():
		return nil, false
	case f.waker == nil:
		f.waker, _ = f.system.wakers.Get().(chan struct{})
		return f.waker, true
	case f.done == nil:
		f.done = make(chan struct{})
	}
	return f.done, false
}

// PipeTo sends what f yields, value or error, to the actors.
func (f *Future) PipeTo(pids ...*PID) {
	f.onDone(func(value any, err error) {
		if err != nil {
			value = err
		}
		for _, pid := range pids {
			f.system.Send(pid, value)
		}
	})
}

// onDone has fn called when f is complete, at once if it is, on whichever
// goroutine completes it.
func (f *Future) onDone(fn func(value any, err error)) {
	f.mu.Lock()
	if earlier := f.then; !f.Completed() {
		f.then = func(value any, err error) {
			if earlier != nil {
				earlier(value, err)
			}
			fn(value, err)
		}
		f.mu.Unlock()
		return
	}
	f.mu.Unlock()
	fn(f.value, f.err)
}

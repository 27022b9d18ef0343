// Package lifetime makes the contexts under which somebody who does one thing
// after another does each: an actor its messages. They are done when it is told
// to stop, for good, or when it is suspended; what it does after that has fresh
// ones.
//
// A context is made when it is asked for. Whoever never asks pays for a counter
// and one atomic load for each thing done.
package lifetime

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// ErrSuspended is the cause of contexts that Suspend ended; it is a
// context.Canceled too.
var ErrSuspended = fmt.Errorf("actor: suspended: %w", context.Canceled)

// Lifetime is from the first thing done to the last. The zero value is ready.
// Next and Number are for the one who does them; all other methods may be called by any
// goroutine at any time.
type Lifetime struct {
	number  uint64                 // of what was begun last
	orders  atomic.Uint64          // what was told, and which number is the first whose contexts are fresh
	current atomic.Pointer[family] // made last; nil if nobody has asked
}

// orders consists of flags and, above them, a number that only grows.
const (
	suspended = 1 << iota // since the last Next
	stopped
	killed
	flags     = suspended | stopped | killed
	flagCount = 3
)

// family is the contexts of all that is done between two suspensions.
//
//nolint:containedctx // contexts are what it is made of
type family struct {
	from   uint64 // the first number that it is for
	ctx    context.Context
	cancel context.CancelCauseFunc

	mu       sync.Mutex
	deadline time.Time // that scoped has
	scoped   context.Context
}

// Next begins the next thing and returns its number, by which its contexts are
// asked for. A Suspend that returned before concerns only what came before; one
// that comes after it, this one too.
func (l *Lifetime) Next() uint64 {
	l.number++
	for o := l.orders.Load(); o&suspended != 0; o = l.orders.Load() {
		l.orders.CompareAndSwap(o, l.number<<flagCount|o&(flags^suspended))
	}
	return l.number
}

// Number is what Next returned last.
func (l *Lifetime) Number() uint64 { return l.number }

// Suspend ends the contexts of all that was begun so far.
func (l *Lifetime) Suspend() { l.end(l.orders.Or(suspended) >> flagCount) }

// end ends the family that begins at from, unless a younger one is in its place.
func (l *Lifetime) end(from uint64) {
	if f := l.current.Load(); f != nil && f.from == from {
		f.cancel(ErrSuspended)
	}
}

// Stop ends all contexts, for good.
func (l *Lifetime) Stop() { l.stop(stopped) }

// Kill is Stop, and is remembered.
func (l *Lifetime) Kill() { l.stop(stopped | killed) }

func (l *Lifetime) stop(how uint64) {
	l.orders.Or(how)
	if f := l.current.Load(); f != nil {
		f.cancel(nil)
	}
}

// Killed reports whether Kill was called.
func (l *Lifetime) Killed() bool { return l.orders.Load()&killed != 0 }

// Context returns the context of what has that number, which ends at deadline as
// well unless that is zero.
func (l *Lifetime) Context(number uint64, deadline time.Time) context.Context {
	f := l.family(number)
	if deadline.IsZero() {
		return f.ctx
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.scoped == nil || !f.deadline.Equal(deadline) {
		var cancel context.CancelFunc
		f.deadline = deadline
		f.scoped, cancel = context.WithDeadline(f.ctx, deadline)
		_ = cancel // it is released at the deadline, or with the family
	}
	return f.scoped
}

// Value is Context(number, deadline).Value(key), and makes no context that is
// neither done nor known to anybody.
func (l *Lifetime) Value(number uint64, deadline time.Time, key any) any {
	if l.current.Load() == nil && l.cause(number) == nil {
		return nil
	}
	return l.Context(number, deadline).Value(key)
}

// cause says why the contexts of number are done, or nil.
func (l *Lifetime) cause(number uint64) error {
	switch o := l.orders.Load(); {
	case o&stopped != 0:
		return context.Canceled
	case o&suspended != 0 || number < o>>flagCount:
		return ErrSuspended
	}
	return nil
}

func (l *Lifetime) family(number uint64) *family {
	for {
		old := l.current.Load()
		from := l.orders.Load() >> flagCount // loaded last, so that old is no younger
		fresh := number >= from
		if fresh && old != nil && old.from == from {
			return old
		}
		f := &family{from: from}
		f.ctx, f.cancel = context.WithCancelCause(context.Background()) //nolint:forbidigo // it ends with the lifetime, not with a caller
		if fresh && !l.current.CompareAndSwap(old, f) {
			f.cancel(nil)
			continue
		}
		if fresh && old != nil {
			old.cancel(ErrSuspended) // Suspend may not have come to it
		}
		if why := l.cause(number); why != nil {
			f.cancel(why) // whoever told looked before the swap
		}
		return f
	}
}

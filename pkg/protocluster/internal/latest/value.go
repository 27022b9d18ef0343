// Package latest holds a value that is replaced now and then, which many read
// and some wait for.
package latest

import (
	"context"
	"iter"
	"sync/atomic"
)

// Value is such a value. Make it with New. Its methods may be called
// concurrently.
type Value[T any] struct {
	now atomic.Pointer[state[T]]
}

type state[T any] struct {
	value   T
	changed chan struct{} // closed when another state replaces this
}

// New returns a Value that holds value.
func New[T any](value T) *Value[T] {
	l := new(Value[T])
	l.Store(value)
	return l
}

// Load returns the value and what is closed when it is not the latest any more.
func (l *Value[T]) Load() (T, <-chan struct{}) {
	s := l.now.Load()
	return s.value, s.changed
}

// Store replaces the value and wakes those that wait.
func (l *Value[T]) Store(value T) {
	if old := l.now.Swap(&state[T]{value, make(chan struct{})}); old != nil {
		close(old.changed)
	}
}

// All iterates over the value and those that replace it, but those that were
// replaced in turn before the loop came to them, until ctx ends or done is closed.
func (l *Value[T]) All(ctx context.Context, done <-chan struct{}) iter.Seq[T] {
	return func(yield func(T) bool) {
		for {
			value, changed := l.Load()
			if !yield(value) {
				return
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			case <-done:
				return
			}
		}
	}
}

// Package latest holds a value that is replaced now and then, which many read
// and some wait for.
package latest

import "sync/atomic"

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

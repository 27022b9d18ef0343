package cluster

import "sync/atomic"

// latest is a value that is replaced now and then, which many read and some
// wait for. Make it with newLatest.
type latest[T any] struct {
	state atomic.Pointer[latestState[T]]
}

type latestState[T any] struct {
	value   T
	changed chan struct{} // closed when another state replaces this
}

func newLatest[T any](value T) *latest[T] {
	l := new(latest[T])
	l.store(value)
	return l
}

// load returns the value and what is closed when it is not the latest any more.
func (l *latest[T]) load() (T, <-chan struct{}) {
	s := l.state.Load()
	return s.value, s.changed
}

func (l *latest[T]) store(value T) {
	if old := l.state.Swap(&latestState[T]{value, make(chan struct{})}); old != nil {
		close(old.changed)
	}
}

package mpsc

import "sync"

// List is a queue for what comes rarely, one at a time: it is small while it is
// empty. The zero value is empty and open.
type List[T any] struct {
	mu   sync.Mutex
	some *some[T] // nil while the list is empty and open
}

type some[T any] struct {
	items  []T
	closed bool
}

// Push appends v; false if the list is closed.
func (l *List[T]) Push(v T) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.some == nil {
		l.some = new(some[T])
	}
	if l.some.closed {
		return false
	}
	l.some.items = append(l.some.items, v)
	return true
}

// Pop takes the first item; false if there is none.
func (l *List[T]) Pop() (v T, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.some
	if s == nil || len(s.items) == 0 {
		return v, false
	}
	v, s.items[0] = s.items[0], v
	if s.items = s.items[1:]; len(s.items) == 0 && !s.closed {
		l.some = nil
	}
	return v, true
}

// Take takes all items.
func (l *List[T]) Take() []T { return l.take(false) }

// Close refuses all further items and returns those that wait.
func (l *List[T]) Close() []T { return l.take(true) }

func (l *List[T]) take(closed bool) []T {
	l.mu.Lock()
	defer l.mu.Unlock()
	var items []T
	if s := l.some; s != nil {
		items, closed = s.items, closed || s.closed
	}
	if l.some = nil; closed {
		l.some = &some[T]{closed: true}
	}
	return items
}

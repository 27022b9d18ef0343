package mpsc

import "sync"

// List is a queue for what comes rarely, one at a time. The zero value is empty
// and open.
type List[T any] struct {
	mu     sync.Mutex
	items  []T
	closed bool
}

// Push appends v; false if the list is closed.
func (l *List[T]) Push(v T) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.items = append(l.items, v)
	return true
}

// Pop takes the first item; false if there is none.
func (l *List[T]) Pop() (v T, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.items) == 0 {
		return v, false
	}
	v, l.items[0] = l.items[0], v
	if l.items = l.items[1:]; len(l.items) == 0 {
		l.items = nil
	}
	return v, true
}

// Take takes all items.
func (l *List[T]) Take() []T {
	l.mu.Lock()
	defer l.mu.Unlock()
	items := l.items
	l.items = nil
	return items
}

// Close refuses all further items and returns those that wait.
func (l *List[T]) Close() []T {
	l.mu.Lock()
	defer l.mu.Unlock()
	items := l.items
	l.items, l.closed = nil, true
	return items
}

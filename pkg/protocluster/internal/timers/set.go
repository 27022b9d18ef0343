// Package timers runs functions later, and lets the owner of all of them end
// them together.
package timers

import (
	"sync"
	"time"
)

// Set is any number of timers. The zero value has none. Its methods may be
// called concurrently.
type Set struct {
	mu     sync.Mutex
	timers map[*timer]struct{} // that will fire
	closed bool
}

type timer struct{ *time.Timer } // guarded by Set.mu

// Start has f called after delay, on a goroutine of its own, and then every
// interval unless that is 0. Calling cancel ends that: what has not begun by
// then does not. In a set that is closed nothing starts.
func (s *Set) Start(delay, interval time.Duration, f func()) (cancel func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return func() {}
	}
	if s.timers == nil {
		s.timers = make(map[*timer]struct{})
	}
	t := new(timer)
	t.Timer = time.AfterFunc(delay, func() {
		if s.fire(t, interval) {
			f()
		}
	})
	s.timers[t] = struct{}{}
	return func() { s.cancel(t) }
}

// fire reports whether t is to have its effect now, and sets it again.
func (s *Set) fire(t *timer, interval time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, due := s.timers[t]
	switch {
	case !due:
	case interval > 0:
		t.Reset(interval)
	default:
		delete(s.timers, t)
	}
	return due
}

func (s *Set) cancel(t *timer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.Stop()
	delete(s.timers, t)
}

// Close cancels all, for good.
func (s *Set) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for t := range s.timers {
		t.Stop()
	}
	s.timers = nil
}

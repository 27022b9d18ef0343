package actor

import (
	"slices"
	"sync"
)

// DeadLetter is the event of a message that reached nobody.
type DeadLetter struct {
	To      *PID
	Message any
	Sender  *PID
	Reason  error
}

// EventStream hands events to whoever subscribed. The zero value is ready for
// use, by any number of goroutines.
type EventStream struct {
	mu       sync.Mutex
	handlers []*func(event any) // replaced whole, so that Publish needs no copy
}

// Subscribe has handler called with each event from now on, on the publisher's
// goroutine: it must be quick and must not block. The returned function ends
// that; one call that is under way may still finish after it.
func (s *EventStream) Subscribe(handler func(event any)) (unsubscribe func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handlers = append(slices.Clip(s.handlers), &handler)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.handlers = slices.DeleteFunc(slices.Clone(s.handlers), func(h *func(any)) bool { return h == &handler })
	}
}

// Publish calls every subscriber's handler with event, in the order in which
// they subscribed.
func (s *EventStream) Publish(event any) {
	s.mu.Lock()
	handlers := s.handlers
	s.mu.Unlock()
	for _, h := range handlers {
		(*h)(event)
	}
}

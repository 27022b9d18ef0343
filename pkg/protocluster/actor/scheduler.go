package actor

import (
	"sync"
	"time"
)

// Scheduler sends messages later. It ends with its system, and what is due
// after that is not sent.
type Scheduler struct {
	system *System

	mu     sync.Mutex
	timers map[*time.Timer]struct{}
	closed bool
}

// SendOnce sends message to an actor after delay. Calling cancel prevents that
// if it is not too late.
func (s *Scheduler) SendOnce(delay time.Duration, to *PID, message any) (cancel func()) {
	return s.schedule(delay, 0, to, message)
}

// SendRepeatedly sends message to an actor after initial and then every
// interval, which must be positive, until cancel is called.
func (s *Scheduler) SendRepeatedly(initial, interval time.Duration, to *PID, message any) (cancel func()) {
	return s.schedule(initial, max(interval, time.Nanosecond), to, message)
}

// schedule sends once if interval is 0.
func (s *Scheduler) schedule(delay, interval time.Duration, to *PID, message any) (cancel func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return func() {}
	}
	if s.timers == nil {
		s.timers = make(map[*time.Timer]struct{})
	}
	var t *time.Timer
	t = time.AfterFunc(delay, func() {
		s.mu.Lock()
		_, due := s.timers[t]
		switch {
		case !due:
		case interval > 0:
			t.Reset(interval)
		default:
			delete(s.timers, t)
		}
		s.mu.Unlock()
		if due {
			s.system.Send(to, message)
		}
	})
	s.timers[t] = struct{}{}
	return func() { s.cancel(t) }
}

func (s *Scheduler) cancel(t *time.Timer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.Stop()
	delete(s.timers, t)
}

func (s *Scheduler) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for t := range s.timers {
		t.Stop()
	}
	s.timers = nil
}

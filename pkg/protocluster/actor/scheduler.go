package actor

import (
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/timers"
)

// Scheduler sends messages later. It ends with its system, and what is due
// after that is not sent.
type Scheduler struct {
	system *System
	timers timers.Set
}

// SendOnce sends message to an actor after delay. Calling cancel prevents that
// if it is not too late.
func (s *Scheduler) SendOnce(delay time.Duration, to *PID, message any) (cancel func()) {
	return s.timers.Start(delay, 0, func() { s.system.Send(to, message) })
}

// SendRepeatedly sends message to an actor after initial and then every
// interval, which must be positive, until cancel is called.
func (s *Scheduler) SendRepeatedly(initial, interval time.Duration, to *PID, message any) (cancel func()) {
	return s.timers.Start(initial, max(interval, time.Nanosecond), func() { s.system.Send(to, message) })
}

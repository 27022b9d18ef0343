package seat

import "time"

// Clock is the time that a Seat goes by. Its methods are called concurrently.
type Clock interface {
	// Now is the reading of a monotonic clock, from any instant on. It need
	// not go on while the machine sleeps.
	Now() time.Duration
	// Asleep is for how long the clock of Now has stood still so far because
	// the machine slept, from any value on. A reading may be too low, never
	// too high. It is constant where that cannot be known.
	Asleep() time.Duration
}

// machine is the machine's own Clock.
type machine struct{ start time.Time }

func newMachine() *machine { return &machine{time.Now()} }

func (c *machine) Now() time.Duration { return time.Since(c.start) }

func (*machine) Asleep() time.Duration { return asleep() }

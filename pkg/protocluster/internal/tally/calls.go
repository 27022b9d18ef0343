package tally

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
)

// Calls counts calls. The zero value is empty. Its methods may be called
// concurrently, and do not block.
type Calls struct {
	begun, failures, unknown atomic.Uint64
	took                     Durations
}

// Begin counts a call that begins now.
func (c *Calls) Begin() time.Time {
	c.begun.Add(1)
	return time.Now()
}

// End counts the end of a call that began then, now, with *err or nil: it is for
// defer.
func (c *Calls) End(began time.Time, err *error) {
	c.took.Add(time.Since(began))
	if *err != nil {
		c.failures.Add(1)
	}
	if errors.Is(*err, actor.ErrUnknownOutcome) {
		c.unknown.Add(1)
	}
}

// Counts returns how many began, how many of these ended with an error, how many
// of those with an unknown outcome, and how long all that ended took.
func (c *Calls) Counts() (begun, failures, unknown uint64, took Counts) {
	return c.begun.Load(), c.failures.Load(), c.unknown.Load(), c.took.Counts()
}

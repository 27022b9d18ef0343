package tally

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
)

// Calls counts calls that have ended. The zero value is empty. Its methods may be
// called concurrently, and do not block.
type Calls struct {
	failures, unknown atomic.Uint64
	took              Durations
}

// End counts a call that began then and ends now, with *err or nil: it is for defer.
func (c *Calls) End(began time.Time, err *error) {
	c.took.Add(time.Since(began))
	if *err == nil {
		return
	}
	c.failures.Add(1)
	if errors.Is(*err, actor.ErrUnknownOutcome) {
		c.unknown.Add(1)
	}
}

// Counts returns how long they took, how many ended with an error, and how many of
// these with an unknown outcome.
func (c *Calls) Counts() (took Counts, failures, unknown uint64) {
	return c.took.Counts(), c.failures.Load(), c.unknown.Load()
}

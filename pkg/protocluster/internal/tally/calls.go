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

// Note counts a call that began then and ends now, with err or nil.
func (c *Calls) Note(began time.Time, err error) {
	c.took.Add(time.Since(began))
	if err != nil {
		c.failures.Add(1)
	}
	if errors.Is(err, actor.ErrUnknownOutcome) {
		c.unknown.Add(1)
	}
}

// Counts returns how many ended with an error, how many of those with an unknown
// outcome, and how long all took.
func (c *Calls) Counts() (failures, unknown uint64, took Counts) {
	return c.failures.Load(), c.unknown.Load(), c.took.Counts()
}

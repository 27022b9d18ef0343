// Package backoff says how long to wait before something that failed is tried again.
package backoff

import (
	"math/rand/v2"
	"time"
)

// Delay is twice as long after each failure: first after one, last at most. It is 0 if
// first is.
func Delay(failures int, first, last time.Duration) time.Duration {
	d := min(first, last)
	for ; failures > 1 && 0 < d && d < last; failures-- {
		d += min(d, last-d) // which cannot overflow
	}
	return d
}

// Half is d, half of which is chance, so that those whom one failure struck do not come
// back together.
func Half(d time.Duration) time.Duration { return d/2 + rand.N(d/2+1) }

package bench

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Times is how long things took that several callers did.
type Times struct {
	Took time.Duration   // all together, from the first to the last
	Each []time.Duration // sorted; at least one
}

// Callers has a number of callers do n things each, one after the other. It
// returns once all have, or have failed.
func Callers(ctx context.Context, callers, n int, do func(ctx context.Context, caller, i int) error) (*Times, error) {
	each := make([]time.Duration, callers*n)
	errs := make([]error, callers)
	var done sync.WaitGroup
	start := time.Now()
	for caller := range callers {
		done.Go(func() {
			times := each[caller*n : (caller+1)*n]
			for i := range times {
				began := time.Now()
				if err := do(ctx, caller, i); err != nil {
					errs[caller] = err
					return
				}
				times[i] = time.Since(began)
			}
		})
	}
	done.Wait()
	t := &Times{Took: time.Since(start), Each: each}
	slices.Sort(each)
	return t, errors.Join(errs...)
}

// Rate is how many were done in a second.
func (t *Times) Rate() float64 { return float64(len(t.Each)) / t.Took.Seconds() }

// Within is the time, in nanoseconds, that percent of them kept within.
func (t *Times) Within(percent int) float64 {
	return float64(t.Each[min(len(t.Each)*percent/100, len(t.Each)-1)])
}

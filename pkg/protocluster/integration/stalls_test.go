//go:build integration

package integration_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/background"
)

// stalls measures for how long this machine had no processor for the test, which
// says how far to trust its clock: what promises to be done in two seconds has
// them on a machine that runs.
type stalls struct {
	mu    sync.Mutex
	total time.Duration
}

const beat = 5 * time.Millisecond

// watchStalls measures until the test ends.
func watchStalls(t testing.TB) *stalls {
	t.Helper()
	s := new(stalls)
	ctx, cancel := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		watching.Wait()
	})
	watching.Go(func() {
		for before := time.Now(); background.Sleep(ctx, beat); {
			now := time.Now()
			if late := now.Sub(before) - beat; late > beat {
				s.mu.Lock()
				s.total += late
				s.mu.Unlock()
			}
			before = now
		}
	})
	return s
}

func (s *stalls) sum() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total
}

// within returns a context that ends after d, and whatever the machine stalls
// meanwhile; and how long that took, without the stalls.
func (s *stalls) within(ctx context.Context, d time.Duration) (_ context.Context, took func() time.Duration, cancel func()) {
	begin, before := time.Now(), s.sum()
	took = func() time.Duration { return time.Since(begin) - (s.sum() - before) }
	ctx, stop := context.WithCancel(ctx)
	go func() {
		for left := d; left > 0 && background.Sleep(ctx, left); {
			left = d - took()
		}
		stop()
	}()
	return ctx, took, stop
}

// calibrate returns how many rounds of spin take a millisecond where nothing
// else runs.
func calibrate() int64 {
	const rounds = 1 << 20
	best := time.Hour
	for range 10 {
		begin := time.Now()
		sink = spin(rounds)
		best = min(best, time.Since(begin))
	}
	return rounds * int64(time.Millisecond) / int64(best)
}

var sink int64 // what calibrate computed

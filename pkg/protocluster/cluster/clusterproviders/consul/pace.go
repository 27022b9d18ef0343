package consul

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	// leastPause is the least time between two waits, should Consul, or what
	// stands for it, not let them wait.
	leastPause = 10 * time.Millisecond
	// A retry comes after between half of firstRetry and lastRetry. Members
	// have to agree within two seconds after Consul is back.
	firstRetry = 100 * time.Millisecond
	lastRetry  = time.Second
)

// pace spaces what is done again and again. Its zero value is ready for use.
type pace struct {
	mu       sync.Mutex
	failures int       // in a row
	next     time.Time // nothing begins before
}

// begin returns when it is time, or with ctx's error.
func (p *pace) begin(ctx context.Context) error {
	p.mu.Lock()
	pause := max(0, time.Until(p.next))
	p.next = time.Now().Add(pause + leastPause)
	p.mu.Unlock()
	return sleep(ctx, pause)
}

// end counts a failure, after which there is a longer pause.
func (p *pace) end(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.failures = 0
		return
	}
	p.next = time.Now().Add(backoff(p.failures, firstRetry, lastRetry))
	p.failures++
}

// backoff is how long to wait after that many failures in a row before this
// one: twice as long each time, and a random half less, so that those whom one
// failure struck do not come back together.
func backoff(failures int, first, last time.Duration) time.Duration {
	d := last
	if failures < 16 {
		d = min(last, first<<failures)
	}
	return d/2 + rand.N(d/2+1)
}

// sleep waits for d, or returns ctx's error.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

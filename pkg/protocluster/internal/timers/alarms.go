package timers

import (
	"context"
	"sync"
	"time"
)

// Alarms bound waits by times. One alarm serves many waits, one after the other,
// where a context for each takes four allocations. The zero value is ready; its
// methods may be called concurrently.
type Alarms struct{ idle sync.Pool } // of *time.Timer, stopped

// Wait returns nil when done yields or is closed, or why it waited in vain: ctx
// has ended, or the time has come, unless that is zero.
func (a *Alarms) Wait(ctx context.Context, done <-chan struct{}, until time.Time) error {
	if !until.IsZero() {
		return a.wait(ctx, done, until)
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (a *Alarms) wait(ctx context.Context, done <-chan struct{}, until time.Time) error {
	t := a.set(time.Until(until))
	defer a.put(t)
	select {
	case <-done:
		return nil
	case <-t.C:
		return context.DeadlineExceeded
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (a *Alarms) set(delay time.Duration) *time.Timer {
	t, ok := a.idle.Get().(*time.Timer)
	if !ok {
		return time.NewTimer(delay)
	}
	t.Reset(delay)
	return t
}

// put takes back what set has returned. A timer that was stopped has nothing left
// in its channel, since Go 1.23.
func (a *Alarms) put(t *time.Timer) {
	t.Stop()
	a.idle.Put(t)
}

// End returns when ctx ends, or if until comes first that; zero is never. Until is
// then what ctx does not see to, and over why it has ended already, or nil.
func End(ctx context.Context, until time.Time) (end, rest time.Time, over error) {
	if deadline, ok := ctx.Deadline(); ok && (until.IsZero() || !deadline.After(until)) {
		return deadline, time.Time{}, ctx.Err()
	}
	if over = ctx.Err(); over == nil && !until.IsZero() && time.Until(until) <= 0 {
		over = context.DeadlineExceeded
	}
	return until, until, over
}

// Unless returns until, or zero if ctx has a deadline, whenever that is.
func Unless(ctx context.Context, until time.Time) time.Time {
	if _, bounded := ctx.Deadline(); bounded {
		return time.Time{}
	}
	return until
}

// Bound returns a context that also ends when the time has come, unless that is
// zero, for what takes longer than to make one.
func Bound(ctx context.Context, until time.Time) (context.Context, context.CancelFunc) {
	if until.IsZero() {
		return ctx, func() {}
	}
	return context.WithDeadline(ctx, until)
}

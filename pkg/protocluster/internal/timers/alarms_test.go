package timers_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/timers"
)

var errGone = errors.New("gone")

// alarms checks what a wait returns, and after how long.
type alarms struct {
	timers.Alarms
	testing.TB
}

func (a *alarms) check(what string, wait func() error, want error, after time.Duration) {
	a.Helper()
	began := time.Now()
	err := wait()
	if took := time.Since(began); !errors.Is(err, want) || took != after {
		a.Errorf("%s: %v after %v, want %v after %v", what, err, took, want, after)
	}
}

// ending ends after d because of errGone.
func ending(ctx context.Context, d time.Duration) context.Context {
	ctx, cancel := context.WithCancelCause(ctx)
	time.AfterFunc(d, func() { cancel(errGone) })
	return ctx
}

func TestAlarms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := alarms{TB: t}
		wait := func(ctx context.Context, done, until time.Duration) func() error {
			return func() error {
				end := time.Time{}
				if until != 0 {
					end = time.Now().Add(until)
				}
				c := make(chan struct{})
				time.AfterFunc(done, func() { close(c) })
				return a.Wait(ctx, c, end)
			}
		}
		for range 2 { // the second time with the alarms of the first
			ctx := t.Context()
			a.check("done first", wait(ctx, time.Second, 2*time.Second), nil, time.Second)
			a.check("the time first", wait(ctx, time.Second, time.Second/2), context.DeadlineExceeded, time.Second/2)
			a.check("without a time", wait(ctx, time.Second, 0), nil, time.Second)
			a.check("a time that has passed", wait(ctx, time.Second, -time.Second), context.DeadlineExceeded, 0)
			a.check("ctx first", wait(ending(ctx, time.Second), time.Hour, time.Minute), errGone, time.Second)
			a.check("without a time, ctx first", wait(ending(ctx, time.Second), time.Hour, 0), errGone, time.Second)
		}
	})
}

func TestEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		at := func(d time.Duration) time.Time { return now.Add(d) }
		never, long, ended := t.Context(), deadline(t, at(time.Hour)), deadline(t, at(-time.Second))
		rows := []struct {
			name      string
			ctx       context.Context
			until     time.Time
			end, rest time.Time
			over      error
		}{
			{"never", never, time.Time{}, time.Time{}, time.Time{}, nil},
			{"until then", never, at(1), at(1), at(1), nil},
			{"past", never, at(-1), at(-1), at(-1), context.DeadlineExceeded},
			{"ctx only", long, time.Time{}, at(time.Hour), time.Time{}, nil},
			{"ctx at the same time", long, at(time.Hour), at(time.Hour), time.Time{}, nil},
			{"ctx first", long, at(2 * time.Hour), at(time.Hour), time.Time{}, nil},
			{"ctx later", long, at(1), at(1), at(1), nil},
			{"ctx has ended", ended, at(1), at(-time.Second), time.Time{}, context.DeadlineExceeded},
		}
		for _, row := range rows {
			end, rest, over := timers.End(row.ctx, row.until)
			if !end.Equal(row.end) || !rest.Equal(row.rest) || !errors.Is(over, row.over) {
				t.Errorf("%s: End = %v, %v, %v; want %v, %v, %v", row.name, end, rest, over, row.end, row.rest, row.over)
			}
		}
	})
}

func TestUnless(t *testing.T) {
	at := time.Now().Add(time.Hour)
	if got := timers.Unless(t.Context(), at); got != at {
		t.Errorf("without a deadline: %v, want %v", got, at)
	}
	if got := timers.Unless(deadline(t, at.Add(time.Hour)), at); !got.IsZero() {
		t.Errorf("with a later deadline: %v, want none", got)
	}
}

func deadline(t *testing.T, at time.Time) context.Context {
	t.Helper()
	ctx, cancel := context.WithDeadline(t.Context(), at)
	t.Cleanup(cancel)
	return ctx
}

package attempts_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/attempts"
)

func TestAdd(t *testing.T) {
	var all []attempts.Attempt
	add := func(address string, at time.Duration, text string) {
		all = attempts.Add(all, "", address, at, errors.New(text))
	}
	add("a:1", time.Second, "full")
	add("a:1", 2*time.Second, "full")
	add("", 3*time.Second, "gone")
	want := "; tried: a:1 (2 times from 1s to 2s: full), to find it (at 3s)"
	if got := attempts.Text(all, fmt.Errorf("the end: %w", errors.New("gone"))); len(all) != 2 || got != want {
		t.Errorf("%d attempts: %q; want two: %q", len(all), got, want)
	}
	for i := range 100 {
		add("a:1", time.Minute, fmt.Sprint(i))
	}
	if len(all) != 16 || all[15].Err.Error() != "99" || all[0].Err.Error() != "84" {
		t.Errorf("%d attempts from %v to %v, want the last 16", len(all), all[0].Err, all[len(all)-1].Err)
	}
}

func TestPause(t *testing.T) {
	busy := &actor.RejectedError{Reason: actor.ErrMailboxFull, RetryAfter: time.Minute}
	rows := []struct {
		name        string
		tries       int
		err         error
		until       time.Duration // 0: nothing ends it
		least, most time.Duration
		why         error
	}{
		{"the first", 1, actor.ErrNoActor, 0, 2500 * time.Microsecond, 5 * time.Millisecond, nil},
		{"the fourth", 4, actor.ErrNoActor, 0, 20 * time.Millisecond, 40 * time.Millisecond, nil},
		{"a late one", 100, actor.ErrNoActor, time.Second, 125 * time.Millisecond, 250 * time.Millisecond, nil},
		{"who was asked says when", 1, fmt.Errorf("busy: %w", busy), 0, time.Minute, time.Minute, nil},
		{"the time is up first", 1, busy, time.Second, time.Second, time.Second, context.DeadlineExceeded},
	}
	for _, row := range rows {
		synctest.Test(t, func(t *testing.T) {
			begin, until := time.Now(), time.Time{}
			if row.until > 0 {
				until = begin.Add(row.until)
			}
			why := attempts.Pause(t.Context(), until, row.tries, row.err)
			if took := time.Since(begin); took < row.least || took > row.most || !errors.Is(why, row.why) {
				t.Errorf("%s: %v after %v, want %v after %v to %v", row.name, why, took, row.why, row.least, row.most)
			}
		})
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if why := attempts.Pause(ended, time.Time{}, 100, actor.ErrNoActor); !errors.Is(why, context.Canceled) {
		t.Errorf("a pause of who gave up = %v", why)
	}
}

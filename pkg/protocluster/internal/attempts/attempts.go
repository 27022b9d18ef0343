// Package attempts keeps what a request has tried, tells it, and waits before the next
// try.
package attempts

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/background"
	"github.com/protocluster/workshop/pkg/protocluster/internal/backoff"
	"github.com/protocluster/workshop/pkg/protocluster/internal/timers"
)

const (
	most         = 16
	firstPause   = 5 * time.Millisecond
	longestPause = 250 * time.Millisecond
)

// Attempt is one try, or several in a row that failed in the same way.
type Attempt struct {
	Member      string        // its ID; "" if it was not known where to go
	Address     string        // where it is
	First, Last time.Duration // when the first and last of them ended, since the request began
	Tries       int
	Err         error
}

// Add adds one try, with the member of that ID and address, that came to err so long
// after the request had begun: to the last of those before if it failed in the same
// way. Of more than 16 the oldest are forgotten.
func Add(before []Attempt, member, address string, after time.Duration, err error) []Attempt {
	a := Attempt{Member: member, Address: address, First: after, Last: after, Tries: 1, Err: err}
	if last := len(before) - 1; last >= 0 {
		l := &before[last]
		if l.Address == a.Address && l.Member == a.Member && l.Err.Error() == a.Err.Error() {
			l.Last, l.Err = a.Last, a.Err
			l.Tries++
			return before
		}
	}
	return append(before[max(0, len(before)+1-most):], a)
}

// Pause waits before the next try, after so many of which the last came to err, until
// ctx ends or the time has come, unless that is zero; it then returns why.
func Pause(ctx context.Context, until time.Time, tries int, err error) error {
	pause := backoff.Half(backoff.Delay(tries, firstPause, longestPause))
	if busy, ok := errors.AsType[*actor.RejectedError](err); ok {
		pause = max(pause, busy.RetryAfter)
	}
	ctx, cancel := timers.Bound(ctx, until)
	defer cancel()
	background.Sleep(ctx, pause)
	return ctx.Err()
}

// Text tells the attempts of a request that ended with that error: "; tried: …".
func Text(all []Attempt, end error) string {
	var b strings.Builder
	for i, a := range all {
		b.WriteString([]string{"; tried: ", ", "}[min(i, 1)])
		b.WriteString(a.text(end))
	}
	return b.String()
}

// text tells an attempt, without its error if the request ended with the same.
func (a Attempt) text(end error) string {
	who, when := "to find it", "at "+a.Last.Round(time.Millisecond).String()
	if a.Address != "" {
		who = a.Address
	}
	if a.Tries > 1 {
		when = fmt.Sprintf("%d times from %v to %v", a.Tries, a.First.Round(time.Millisecond), a.Last.Round(time.Millisecond))
	}
	if why := a.Err.Error(); !strings.HasSuffix(end.Error(), why) {
		when += ": " + why
	}
	return who + " (" + when + ")"
}

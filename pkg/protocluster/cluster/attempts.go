package cluster

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
)

const mostAttempts = 16

// RequestError says that a virtual actor did not answer, who was tried, when
// and why that failed. Is tells what became of the message: ErrNotDelivered or
// ErrUnknownOutcome of package actor, and context.DeadlineExceeded if the time
// was up.
type RequestError struct {
	ID       Identity
	Tries    int           // how often it was tried
	After    time.Duration // from the first to the end of the last
	Attempts []Attempt     // the last 16 that differ from the one before
	Err      error         // why it ended

	began time.Time
}

// Attempt is one try, or several in a row that failed in the same way.
type Attempt struct {
	Member      string        // its ID; "" if it was not known where to go
	Address     string        // where it is
	First, Last time.Duration // when the first and last of them ended, since the request began
	Tries       int
	Err         error
}

func (e *RequestError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "cluster: %s did not answer within %v: %v", e.ID.text(), e.After.Round(time.Millisecond), e.Err)
	for i, a := range e.Attempts {
		b.WriteString([]string{"; tried: ", ", "}[min(i, 1)])
		b.WriteString(a.text(e.Err))
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

// Unwrap returns why the request ended.
func (e *RequestError) Unwrap() error { return e.Err }

// because adds why no further try is made.
func (e *RequestError) because(err error) *RequestError {
	if !errors.Is(e.Err, err) {
		e.Err = fmt.Errorf("%w: %w", err, e.Err)
	}
	return e
}

// note adds a try that failed.
func (e *RequestError) note(view *View, pid *actor.PID, err error) {
	e.Tries++
	e.After = time.Since(e.began)
	e.Err = err
	a := Attempt{First: e.After, Last: e.After, Tries: 1, Err: err}
	if asked, ok := errors.AsType[*UnansweredError](err); ok {
		a.Member, a.Address = asked.Member.ID, asked.Member.Address
	} else if pid != nil {
		m, _ := view.At(pid.Address)
		a.Member, a.Address = m.ID, pid.Address
	}
	if last := len(e.Attempts) - 1; last >= 0 {
		l := &e.Attempts[last]
		if l.Address == a.Address && l.Member == a.Member && l.Err.Error() == err.Error() {
			l.Last, l.Err = a.Last, err
			l.Tries++
			return
		}
	}
	e.Attempts = append(e.Attempts[max(0, len(e.Attempts)+1-mostAttempts):], a)
}

package cluster

import (
	"errors"
	"fmt"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/attempts"
)

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
type Attempt = attempts.Attempt

func (e *RequestError) Error() string {
	why := fmt.Sprintf("cluster: %s did not answer within %v: %v", e.ID.text(), e.After.Round(time.Millisecond), e.Err)
	return why + attempts.Text(e.Attempts, e.Err)
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
	var m Member
	if asked, ok := errors.AsType[*UnansweredError](err); ok {
		m = asked.Member
	} else if pid != nil {
		m, _ = view.At(pid.Address)
		m.Address = pid.Address
	}
	e.Attempts = attempts.Add(e.Attempts, m.ID, m.Address, e.After, err)
}

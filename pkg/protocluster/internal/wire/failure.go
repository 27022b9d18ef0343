package wire

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/remotepb"
)

// Why a message did not reach its actor, as package remote documents.
var (
	ErrUnknownType = fmt.Errorf("%w: unknown type", actor.ErrNotDelivered) // ErrUnknownType is remote.ErrUnknownType.
	ErrTooLarge    = fmt.Errorf("%w: too large", actor.ErrNotDelivered)    // ErrTooLarge is remote.ErrTooLarge.
	ErrMalformed   = fmt.Errorf("%w: malformed", actor.ErrNotDelivered)    // ErrMalformed is remote.ErrMalformed.
	ErrForbidden   = fmt.Errorf("%w: forbidden", actor.ErrNotDelivered)    // ErrForbidden is remote.ErrForbidden.
	ErrUnreachable = fmt.Errorf("%w: unreachable", actor.ErrNotDelivered)  // ErrUnreachable is remote.ErrUnreachable.
)

// Error is why a message came to nothing at one of the two nodes, or a reply
// that was an error at the other.
type Error struct {
	Class   error // a sentinel of package remote or actor; nil for any other error
	Message string
}

func (e *Error) Error() string { return e.Message }

// Unwrap returns the class.
func (e *Error) Unwrap() error { return e.Class }

// Fault is an *Error of class, whose message begins with "remote: ".
func Fault(class error, format string, args ...any) *Error {
	return &Error{Class: class, Message: fmt.Sprintf("remote: "+format, args...)}
}

// Bounced is the Message of the dead letter for a message that another node
// sent back: of the message itself only the name of its type is left.
type Bounced struct{ Type string }

// classes are the errors that keep their identity on the wire, the special
// before the general.
//
//nolint:gochecknoglobals // a table that never changes
var classes = [...]struct {
	err  error
	code remotepb.Failure_Code
}{
	{actor.ErrNoActor, remotepb.Failure_NO_ACTOR},
	{actor.ErrStopped, remotepb.Failure_STOPPED},
	{actor.ErrMailboxFull, remotepb.Failure_MAILBOX_FULL},
	{actor.ErrNameTaken, remotepb.Failure_NAME_TAKEN},
	{ErrUnknownType, remotepb.Failure_UNKNOWN_TYPE},
	{ErrTooLarge, remotepb.Failure_TOO_LARGE},
	{ErrMalformed, remotepb.Failure_MALFORMED},
	{ErrForbidden, remotepb.Failure_FORBIDDEN},
	{actor.ErrNotDelivered, remotepb.Failure_NOT_DELIVERED},
	{actor.ErrUnknownOutcome, remotepb.Failure_UNKNOWN_OUTCOME},
	{nil, remotepb.Failure_APPLICATION},
}

// PackFailure is err for the wire; nil for nil. A panic's stack stays here.
func PackFailure(err error) *remotepb.Failure {
	if err == nil {
		return nil
	}
	f := &remotepb.Failure{}
	if r, ok := err.(*actor.RejectedError); ok { //nolint:errorlint // one that is wrapped refuses another message
		f.Rejected, f.RetryAfter = true, int64(r.RetryAfter)
		err = r.Reason
	}
	f.Text = strings.ToValidUTF8(err.Error(), "\uFFFD")
	if p, ok := errors.AsType[*actor.PanicError](err); ok {
		f.Code, f.Text = remotepb.Failure_PANIC, strings.ToValidUTF8(fmt.Sprint(p.Value), "\uFFFD")
		return f
	}
	for _, c := range classes {
		if f.Code = c.code; errors.Is(err, c.err) {
			break
		}
	}
	return f
}

// UnpackFailure is the error that f stands for; nil for nil.
func UnpackFailure(f *remotepb.Failure) error {
	switch {
	case f == nil:
		return nil
	case f.Code == remotepb.Failure_PANIC:
		return &actor.PanicError{Value: f.Text}
	}
	e := &Error{Message: f.Text}
	for _, c := range classes {
		if c.code == f.Code {
			e.Class = c.err
		}
	}
	if f.Rejected {
		return &actor.RejectedError{Reason: e, RetryAfter: time.Duration(f.RetryAfter)}
	}
	return e
}

package actor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/lifetime"
)

// What became of a message that failed falls into two classes, which errors.Is
// tells apart: it was definitely not executed, or nobody knows.
var (
	// ErrNotDelivered says that the message was definitely not executed:
	// sending it again is safe.
	ErrNotDelivered = errors.New("actor: not delivered")
	// ErrUnknownOutcome says that the message may have been executed.
	ErrUnknownOutcome = errors.New("actor: outcome unknown: the message may or may not have been executed")

	// ErrNoActor: no actor has the PID's id. Is ErrNotDelivered.
	ErrNoActor = fmt.Errorf("%w: no such actor", ErrNotDelivered)
	// ErrStopped: the actor or its system has stopped. Is ErrNotDelivered.
	ErrStopped = fmt.Errorf("%w: stopped", ErrNotDelivered)
	// ErrMailboxFull: the mailbox has reached its limit. Is ErrNotDelivered.
	ErrMailboxFull = fmt.Errorf("%w: mailbox full", ErrNotDelivered)
	// ErrSuspended is the cause, by context.Cause, of a Context that
	// System.Suspend ended. Is context.Canceled.
	ErrSuspended = lifetime.ErrSuspended
	// ErrNameTaken: another actor of the system has that name.
	ErrNameTaken = errors.New("actor: name taken")
)

// RejectedError refuses a message for now: it was not executed. As a reply it
// fails the asker just as a refusal before delivery does.
type RejectedError struct {
	Reason     error
	RetryAfter time.Duration // 0: whenever the sender likes
}

func (e *RejectedError) Error() string {
	if e.RetryAfter == 0 {
		return e.Reason.Error()
	}
	return fmt.Sprintf("%v; retry after %v", e.Reason, e.RetryAfter)
}

// Unwrap returns the reason, which is an ErrNotDelivered.
func (e *RejectedError) Unwrap() error { return e.Reason }

// PanicError is the failure of an actor whose handler panicked. Whoever waits
// for the reply to the message that it handled gets it as the error.
type PanicError struct {
	Value any    // what panic was called with
	Stack string // of the handler's goroutine
}

func (e *PanicError) Error() string { return fmt.Sprintf("actor: handler panicked: %v", e.Value) }

// Unwrap returns the panic's value if that is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// ReplyError is the reply of an actor that answered with an error: the message
// was executed. It matches what the error matches, except ErrNotDelivered and
// ErrUnknownOutcome, which would be about a message that the actor itself had
// sent.
type ReplyError struct{ Err error }

func (e *ReplyError) Error() string { return e.Err.Error() }

// Is reports whether the actor's error is target.
func (e *ReplyError) Is(target error) bool {
	return target != ErrNotDelivered && target != ErrUnknownOutcome && errors.Is(e.Err, target)
}

// As finds target in the actor's error.
func (e *ReplyError) As(target any) bool { return errors.As(e.Err, target) }

// TimeoutError ends an ask whose reply did not come in time. It is a
// context.DeadlineExceeded, and ErrUnknownOutcome or ErrNotDelivered by
// whether the message had left.
type TimeoutError struct {
	After time.Duration // 0 if a context's deadline ended the wait
	Class error         // ErrUnknownOutcome or ErrNotDelivered
	Cause error         // why the message had not left, if that is known
}

func (e *TimeoutError) Error() string {
	text := fmt.Sprintf("%v: no reply within %v", e.Class, e.After)
	if e.After == 0 {
		text = fmt.Sprintf("%v: no reply before the deadline", e.Class)
	}
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Unwrap returns both classes of the error, and the cause.
func (e *TimeoutError) Unwrap() []error {
	errs := []error{e.Class, context.DeadlineExceeded}
	if e.Cause != nil {
		errs = append(errs, e.Cause)
	}
	return errs
}

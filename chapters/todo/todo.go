// Package todo is what a stub returns until the learner has written it: an error
// that tests, the command line and the assembled lookup recognise.
//
// It starts no goroutine and never blocks.
package todo

import (
	"errors"
	"fmt"
)

// UnwrittenError says which exercise's code is still a stub.
type UnwrittenError struct {
	Exercise string // "4.1"
}

func (e *UnwrittenError) Error() string {
	return fmt.Sprintf("exercise %s is not written yet; go tool workshop test %s says what is wanted", e.Exercise, e.Exercise)
}

// Error returns the *UnwrittenError of that exercise.
func Error(exercise string) error { return &UnwrittenError{Exercise: exercise} }

// Is reports whether err comes from a stub.
func Is(err error) bool {
	_, unwritten := errors.AsType[*UnwrittenError](err)
	return unwritten
}

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/progress"
	"github.com/protocluster/workshop/cmd/workshop/internal/variant"
)

// state says how far a learner is with an exercise.
type state string

const (
	untouched state = "untouched" // it is the stub
	begun     state = "begun"
	changed   state = "changed" // it was green, and is not what it was
	passed    state = "passed"
)

// state compares the files with what was green.
func (a *app) state(e *course.Exercise, p progress.Progress) (state, error) {
	mark, err := progress.Fingerprint(e)
	if err != nil {
		return untouched, err
	}
	switch r := p.Exercises[e.ID]; r.Passed {
	case mark:
		return passed, nil
	case "":
	default:
		return changed, nil
	}
	same, err := isStub(e)
	if same || err != nil {
		return untouched, err
	}
	return begun, nil
}

// isStub reports whether the learner's files are those that everybody begins
// with.
func isStub(e *course.Exercise) (bool, error) {
	if !e.Written() {
		return true, nil
	}
	stubs, err := variant.Stubs(e)
	if err != nil {
		return false, err
	}
	names, err := e.GoFiles(e.LearnerDir())
	if err != nil || len(names) != len(stubs) {
		return false, err
	}
	for name, want := range stubs {
		got, err := os.ReadFile(e.Path(e.LearnerDir(), name))
		if errors.Is(err, os.ErrNotExist) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if !bytes.Equal(bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n")), want) {
			return false, nil
		}
	}
	return true, nil
}

// current is the exercise that the learner is at: the first that is not passed,
// or the last.
func (a *app) current() (*course.Exercise, error) {
	p, err := a.progress()
	if err != nil {
		return nil, err
	}
	all := a.course.Exercises()
	if len(all) == 0 {
		return nil, errors.New("the course has no exercises yet")
	}
	for _, e := range all {
		s, err := a.state(e, p)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.ID, err)
		}
		if s != passed {
			return e, nil
		}
	}
	return all[len(all)-1], nil
}

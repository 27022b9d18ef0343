package suite

import (
	"slices"
	"time"

	"github.com/protocluster/workshop/cmd/workshop/internal/course"
)

// Result is how the tests of one exercise ended.
type Result struct {
	Exercise *course.Exercise
	Ended    Outcome
	Tests    []*Test       // those that began, in that order
	Build    []string      // what the compiler said, if it failed
	Output   []string      // of the test binary, outside of all tests
	Elapsed  time.Duration // of the test binary
	Cached   bool          // nothing has changed since it ran
}

// Test is one test function, with all its subtests.
type Test struct {
	Name          string
	Ended         Outcome // Unfinished if the binary died first
	Output        []string
	Misconception string // that it named when it failed, or ""
	Trace         string // digest of what happened in it
	Unsteady      bool   // it ran more than once, and the digest was not the same
	Elapsed       time.Duration
}

// Outcome is how a test or a whole exercise ended.
type Outcome string

// The outcomes.
const (
	Passed     Outcome = "pass"
	Failed     Outcome = "fail"
	Skipped    Outcome = "skip"
	Broken     Outcome = "build" // of an exercise: it does not compile
	Unfinished Outcome = "unfinished"
)

// Solved reports whether every test of the exercise ran and passed, and no
// other was there. Something that was skipped, as a lab does for stretches, is
// no fault.
func (r *Result) Solved() bool {
	if r.Ended != Passed || len(r.Missing()) > 0 || len(r.Extra()) > 0 {
		return false
	}
	return !slices.ContainsFunc(r.Tests, func(t *Test) bool { return t.Ended != Passed && t.Ended != Skipped })
}

// Missing are the tests that the manifest names and that did not run.
func (r *Result) Missing() []string {
	return slices.DeleteFunc(slices.Clone(r.Exercise.Tests), func(name string) bool { return r.Test(name) != nil })
}

// Extra are the tests that ran and that the manifest does not name.
func (r *Result) Extra() []string {
	var extra []string
	for _, t := range r.Tests {
		if !slices.Contains(r.Exercise.Tests, t.Name) {
			extra = append(extra, t.Name)
		}
	}
	return extra
}

// Test returns the test of that name, or nil if it did not run.
func (r *Result) Test(name string) *Test {
	i := slices.IndexFunc(r.Tests, func(t *Test) bool { return t.Name == name })
	if i < 0 {
		return nil
	}
	return r.Tests[i]
}

// First returns the first test, in the order of the manifest, that did not
// pass, or nil.
func (r *Result) First() *Test {
	for _, name := range r.Exercise.Tests {
		if t := r.Test(name); t != nil && t.Ended != Passed && t.Ended != Skipped {
			return t
		}
	}
	return nil
}

// Count returns how many tests passed.
func (r *Result) Count() (passed int) {
	for _, t := range r.Tests {
		if t.Ended == Passed {
			passed++
		}
	}
	return passed
}

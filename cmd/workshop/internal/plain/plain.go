// Package plain says in one sentence why an exercise's tests could not tell
// their stories: code that does not compile, panics, hangs, races, or is not
// there.
//
// It starts no goroutine and reads nothing but the result and, for what does not
// compile, the names of the learner's files. Read plain.go, then build.go, crash.go and
// stack.go.
package plain

import (
	"slices"

	"github.com/protocluster/workshop/cmd/workshop/internal/suite"
)

// Verdict is why tests could not be run to their end.
type Verdict struct {
	Kind     Kind
	Sentence string   // what happened, and what to do
	Where    []string // places in the learner's code, or what the compiler said of it; at most three
}

// Kind is a way in which tests end without a story.
type Kind string

// The kinds.
const (
	Compile   Kind = "compile"   // the learner's code does not
	Signature Kind = "signature" // the tests do not fit the learner's code any more
	Deleted   Kind = "deleted"   // the learner's code is not there
	Stray     Kind = "stray"     // a file that does not belong there
	Untested  Kind = "untested"  // the tests are not there, or what they are built on does not compile
	Panic     Kind = "panic"
	Deadlock  Kind = "deadlock" // everything in a bubble waits
	Leak      Kind = "leak"     // something goes on after a test
	Hang      Kind = "hang"     // the time is up
	Race      Kind = "race"
	Exit      Kind = "exit" // the process ended
)

// most is how many places a verdict names.
const most = 3

// Of returns the verdict on r, or nil if its tests told all there is to tell.
func Of(r *suite.Result) *Verdict {
	v := verdict(r)
	if v != nil && len(v.Where) > most {
		v.Where = v.Where[:most]
	}
	return v
}

func verdict(r *suite.Result) *Verdict {
	if r.Ended == suite.Broken {
		return build(r)
	}
	if r.Ended == suite.Passed {
		return nil
	}
	lines := slices.Clone(r.Output)
	for _, t := range r.Tests {
		if t.Ended != suite.Passed {
			lines = append(lines, t.Output...)
		}
	}
	if v := crash(r, lines); v != nil {
		return v
	}
	unfinished := func(t *suite.Test) bool { return t.Ended == suite.Unfinished }
	if len(r.Tests) == 0 || slices.ContainsFunc(r.Tests, unfinished) {
		return &Verdict{Kind: Exit, Sentence: "The tests ended before they were through: code that calls os.Exit or log.Fatal " +
			"takes the tests with it; return an error instead."}
	}
	return nil
}

// Package proof shows that the workshop itself is right: that every stub is red
// and every solution green, that wrong solutions fail for the reason they are
// wrong, and that no exercise depends on another.
//
// The learner's own files play no part: stubs, solutions and wrong solutions
// stand for them by overlays, and nothing in the tree changes. Each proof runs go
// test without network, blocks until that has ended, and may be used by one goroutine.
//
// The lab's proof is the exception: it takes Docker, and half a minute of real time
// for each scenario.
//
// Read proof.go, then colour.go, wrong.go, order.go, trace.go, mutants.go and lab.go.
package proof

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/plain"
	"github.com/protocluster/workshop/cmd/workshop/internal/suite"
	"github.com/protocluster/workshop/cmd/workshop/internal/variant"
)

// Prover proves things of exercises of a course.
type Prover struct {
	Course    *course.Course
	Exercises []*course.Exercise
	Seeds     int  // of each test with seeds; 0 means the usual number
	Race      bool // solutions run with the race detector
	Traces    int  // how often one seed runs to compare its traces; 0 means 20
	Sample    int  // one mutant of so many is tried, which its name decides; 0 means 1
	Load      bool // traces are compared while all processors are busy

	// Tell is told how a proof gets on that takes long.
	Tell func(format string, args ...any)
}

// Proof is one thing to show.
type Proof struct {
	Name string // a flag of workshop verify
	Says string // what it shows
	Run  func(ctx context.Context) (Found, error)
	Slow bool // it takes minutes, so it runs only when it is named
}

// Found is what a proof found.
type Found struct {
	Summary string   // of what was shown, with numbers
	Faults  []string // what speaks against it
}

func (f *Found) fault(format string, args ...any) {
	f.Faults = append(f.Faults, fmt.Sprintf(format, args...))
}

// All are the proofs, quick ones first.
func (p *Prover) All() []Proof {
	return []Proof{
		{Name: "texts", Says: "each exercise is complete, and its stub is what its solution makes", Run: p.texts},
		{Name: "stubs", Says: "every test of every stub is red, and says why", Run: p.stubs},
		{Name: "solutions", Says: "every solution is green", Run: p.solutions},
		{Name: "wrong", Says: "every wrong solution is red in the test and for the reason that it names", Run: p.wrong},
		{Name: "order", Says: "after solving the first k exercises, exactly those are green", Run: p.order},
		{Name: "alone", Says: "each solution is green while all others are stubs", Run: p.alone},
		{Name: "traces", Says: "the same seed gives the same trace", Run: p.traces},
		{Name: "mutants", Says: "nine of ten small faults are noticed, and the others have a reason", Run: p.mutants, Slow: true},
		{Name: "lab", Says: "with the solutions as the cluster, every scenario of the lab keeps all promises", Run: p.lab, Slow: true},
	}
}

// written are the exercises that have a solution.
func (p *Prover) written() []*course.Exercise {
	var all []*course.Exercise
	for _, e := range p.Exercises {
		if e.Written() {
			all = append(all, e)
		}
	}
	return all
}

// labs are the others.
func (p *Prover) labs() []*course.Exercise {
	return slices.DeleteFunc(slices.Clone(p.Exercises), (*course.Exercise).Written)
}

// plan has solutions stand for some exercises of the course, and stubs for all
// others; for drafts too, as far as they have a solution.
func (p *Prover) plan(solved func(*course.Exercise) bool) (*variant.Plan, error) {
	plan := new(variant.Plan)
	for _, e := range p.Course.All() {
		if files, err := e.GoFiles(e.SolutionDir()); err != nil || len(files) == 0 {
			if err == nil && (e.Draft || !e.Written()) {
				continue
			}
			return nil, errors.Join(err, fmt.Errorf("%s has no solution", e.ID))
		}
		use := plan.Stub
		if solved(e) {
			use = plan.Solution
		}
		if err := use(e); err != nil {
			return nil, err
		}
	}
	return plan, nil
}

// run tests exercises with what stands for the learner's code.
func (p *Prover) run(ctx context.Context, plan *variant.Plan, exercises []*course.Exercise, o suite.Options) ([]*suite.Result, error) {
	overlay, err := plan.Write(p.Course.Root)
	if err != nil {
		return nil, err
	}
	o.Overlay, o.Offline = overlay, true
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Minute
	}
	return suite.Run(ctx, p.Course.Root, exercises, o)
}

func every(*course.Exercise) bool { return true }
func none(*course.Exercise) bool  { return false }

// ending tells how a result ended, in one line.
func ending(r *suite.Result) string {
	if v := plain.Of(r); v != nil {
		return v.Sentence + " " + strings.Join(v.Where, "; ")
	}
	t := r.First()
	switch {
	case len(r.Missing()) > 0:
		return "these tests did not run: " + strings.Join(r.Missing(), ", ")
	case len(r.Extra()) > 0:
		return "these tests ran, and the manifest does not name them: " + strings.Join(r.Extra(), ", ")
	case t == nil:
		return "it ended with " + string(r.Ended)
	}
	for _, line := range t.Output {
		if text := strings.TrimSpace(line); text != "" {
			return fmt.Sprintf("%s: %s", t.Name, text)
		}
	}
	return t.Name + " " + string(t.Ended)
}

// plural is "1 test", "2 tests".
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

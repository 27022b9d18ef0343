package proof

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/protocluster/workshop/cmd/workshop/internal/belief"
	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/plain"
	"github.com/protocluster/workshop/cmd/workshop/internal/suite"
	"github.com/protocluster/workshop/cmd/workshop/internal/variant"
)

// wrong shows that each wrong solution fails in the test that the manifest says,
// which names its misconception, and in no other than its fails.txt says.
func (p *Prover) wrong(ctx context.Context) (Found, error) {
	var f Found
	count := 0
	err := p.EachWrong(ctx, func(r *suite.Result, w course.Wrong) error {
		count++
		for _, fault := range faultsOfWrong(r, w) {
			f.fault("%s: the wrong solution %s %s", r.Exercise.ID, w.Misconception, fault)
		}
		diagnosed, err := belief.Behind(r)
		if err == nil && (diagnosed == nil || diagnosed.Misconception != w.Misconception) {
			f.fault("%s: the wrong solution %s is not told from others: run go tool workshop author check, which writes its %s",
				r.Exercise.ID, w.Misconception, belief.FailsFile)
		}
		return err
	})
	f.Summary = fmt.Sprintf("red for the reason that it names: %s", plural(count, "wrong solution"))
	return f, err
}

func faultsOfWrong(r *suite.Result, w course.Wrong) []string {
	if v := plain.Of(r); v != nil {
		return []string{"does not even fail in a test: " + ending(r)}
	}
	t := r.Test(w.Test)
	switch {
	case t == nil || t.Ended != suite.Failed:
		return []string{"is not red in " + w.Test}
	case t.Misconception != w.Misconception:
		return []string{fmt.Sprintf("fails in %s as %q", w.Test, t.Misconception)}
	}
	var faults []string
	for _, t := range r.Tests {
		if t.Ended == suite.Failed {
			if fault := told(t); fault != "" {
				faults = append(faults, "fails in "+t.Name+", which "+fault)
			}
		}
	}
	return faults
}

// EachWrong runs each wrong solution, one of each exercise at a time.
func (p *Prover) EachWrong(ctx context.Context, f func(r *suite.Result, w course.Wrong) error) error {
	for round := 0; ; round++ {
		plan := new(variant.Plan)
		var exercises []*course.Exercise
		for _, e := range p.written() {
			if round < len(e.Wrong) {
				exercises = append(exercises, e)
				if err := plan.Wrong(e, e.Wrong[round].Misconception); err != nil {
					return err
				}
			}
		}
		if len(exercises) == 0 {
			return nil
		}
		results, err := p.run(ctx, plan, exercises, suite.Options{})
		if err != nil {
			return err
		}
		for _, r := range results {
			if err := f(r, r.Exercise.Wrong[round]); err != nil {
				return err
			}
		}
	}
}

// leastWrong is how many wrong solutions an exercise has at least.
const leastWrong = 3

// listed compares the manifest's wrong solutions with the folders.
func listed(e *course.Exercise) []string {
	var faults []string
	folders, err := e.Misconceptions()
	if err != nil {
		return []string{err.Error()}
	}
	var names []string
	for _, w := range e.Wrong {
		names = append(names, w.Misconception)
	}
	slices.Sort(names)
	if !slices.Equal(names, folders) {
		faults = append(faults, fmt.Sprintf("the manifest lists the wrong solutions %s, and the folders are %s",
			strings.Join(names, ", "), strings.Join(folders, ", ")))
	}
	if e.Written() && len(names) < leastWrong {
		faults = append(faults, fmt.Sprintf("it has %s, want at least %d", plural(len(names), "wrong solution"), leastWrong))
	}
	if _, err := belief.Load(e); err != nil {
		faults = append(faults, err.Error())
	}
	return faults
}

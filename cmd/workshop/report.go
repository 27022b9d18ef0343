package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"time"

	"github.com/protocluster/workshop/cmd/workshop/internal/belief"
	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/plain"
	"github.com/protocluster/workshop/cmd/workshop/internal/progress"
	"github.com/protocluster/workshop/cmd/workshop/internal/seal"
	"github.com/protocluster/workshop/cmd/workshop/internal/suite"
)

// graded is what a grader gets of one exercise.
type graded struct {
	ID            string       `json:"id"`
	Title         string       `json:"title"`
	Level         string       `json:"level"`
	Solved        bool         `json:"solved"`
	Passed        int          `json:"passed"` // tests
	Tests         []gradedTest `json:"tests"`
	Problem       string       `json:"problem,omitempty"` // why tests could not tell their stories
	Misconception string       `json:"misconception,omitempty"`
	Tampered      []string     `json:"tampered,omitempty"` // what is not as it was in the tests
	Hints         int          `json:"hints"`
	Runs          int          `json:"runs"`
	ActiveMinutes int          `json:"activeMinutes"`
}

type gradedTest struct {
	Name    string `json:"name"`
	Outcome string `json:"outcome"` // pass, fail, skip, unfinished; "" if it did not run
}

// report runs everything once, as it is now, and says how it ended: as a table,
// or as JSON with the version of its own form.
func report(ctx context.Context, a *app, args []string) error {
	var asJSON bool
	names, err := flags("report", args, func(f *flag.FlagSet) { f.BoolVar(&asJSON, "json", false, "write JSON") })
	if err != nil {
		return err
	}
	exercises, err := a.exercises(names)
	if err != nil {
		return err
	}
	all, err := a.grade(ctx, exercises)
	if err != nil {
		return err
	}
	if asJSON {
		encoder := json.NewEncoder(a.out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(struct {
			Version   int       `json:"version"`
			At        time.Time `json:"at"`
			Exercises []graded  `json:"exercises"`
		}{1, time.Now().UTC().Truncate(time.Second), all})
	}
	a.table(all)
	return nil
}

func (a *app) grade(ctx context.Context, exercises []*course.Exercise) ([]graded, error) {
	prints := map[*course.Exercise]string{}
	for _, e := range exercises {
		mark, err := progress.Fingerprint(e)
		if err != nil {
			return nil, err
		}
		prints[e] = mark
	}
	results, err := suite.Run(ctx, a.course.Root, exercises, suite.Options{})
	if err == nil {
		err = a.races(ctx, results)
	}
	if err != nil {
		return nil, err
	}
	p, err := a.store.Load()
	if err != nil && len(p.Exercises) > 0 {
		return nil, err
	}
	var all []graded
	for _, r := range results {
		g, err := grade(r, p.Exercises[r.Exercise.ID])
		if err != nil {
			return nil, err
		}
		if g.Solved {
			a.update(r.Exercise, func(record *progress.Record) { record.Passed = prints[r.Exercise] })
		}
		all = append(all, g)
	}
	return all, nil
}

func grade(r *suite.Result, record progress.Record) (graded, error) {
	e := r.Exercise
	g := graded{ID: e.ID, Title: e.Title, Level: string(e.Level), Passed: r.Count(),
		Hints: record.Hints, Runs: record.Runs, ActiveMinutes: int(record.Active.Minutes())}
	var err error
	if g.Tampered, err = seal.Broken(e); err != nil {
		return g, err
	}
	g.Solved = r.Solved() && len(g.Tampered) == 0
	for _, name := range e.Tests {
		outcome := ""
		if t := r.Test(name); t != nil {
			outcome = string(t.Ended)
		}
		g.Tests = append(g.Tests, gradedTest{name, outcome})
	}
	if v := plain.Of(r); v != nil {
		g.Problem = v.Sentence
	}
	b, err := belief.Behind(r)
	if b != nil {
		g.Misconception = b.Misconception
	}
	return g, err
}

func (a *app) table(all []graded) {
	solved := 0
	fmt.Fprintf(a.out, "%-5s %-10s %-8s %-7s %5s %5s  %s\n", "", "exercise", "state", "tests", "hints", "min", "remark")
	for _, g := range all {
		state, remark := "red", g.Misconception
		if g.Solved {
			state = "solved"
			solved++
		}
		if g.Problem != "" {
			remark = g.Problem
		}
		if len(g.Tampered) > 0 {
			remark = "the tests were changed"
		}
		fmt.Fprintf(a.out, "%-5s %-10s %-8s %3d/%-3d %5d %5d  %s\n",
			g.ID, g.Title, state, g.Passed, len(g.Tests), g.Hints, g.ActiveMinutes, remark)
	}
	fmt.Fprintf(a.out, "%d of %d are solved.\n", solved, len(all))
}

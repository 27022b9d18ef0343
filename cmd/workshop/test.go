package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/progress"
	"github.com/protocluster/workshop/cmd/workshop/internal/seal"
	"github.com/protocluster/workshop/cmd/workshop/internal/suite"
)

// test runs the tests of one exercise once.
func test(ctx context.Context, a *app, args []string) error {
	var o suite.Options
	names, err := flags("test", args, func(f *flag.FlagSet) {
		f.BoolVar(&o.Race, "race", false, "with the race detector at once, not only when all is green")
		f.StringVar(&o.Run, "run", "", "only tests whose names match this `pattern`")
		f.IntVar(&o.Seeds, "seeds", 0, "how many `seeds`; 0 means the usual number")
	})
	if err != nil {
		return err
	}
	e, err := a.one("test", names)
	if err != nil {
		return err
	}
	if o.Seeds < 0 {
		return &usageError{"-seeds is how many, so it is not negative; 0 means the usual number"}
	}
	if err := matches(e, o.Run); err != nil {
		return err
	}
	r, err := a.try(ctx, e, o)
	if err != nil {
		return err
	}
	if err := a.result(r); err != nil {
		return err
	}
	if !r.Solved() {
		return errRed
	}
	return a.solved(e)
}

// try runs the tests of an exercise, and remembers that it is solved if it is.
func (a *app) try(ctx context.Context, e *course.Exercise, o suite.Options) (*suite.Result, error) {
	whole, err := a.untouched(e)
	if err != nil {
		return nil, err
	}
	before, err := progress.Fingerprint(e)
	if err != nil {
		return nil, err
	}
	a.note("Running the tests of " + title(e) + "; what has no end is stopped after 20 s …")
	results, err := suite.Run(ctx, a.course.Root, []*course.Exercise{e}, o)
	a.erase()
	if err == nil && o.Seed == 0 && !o.Race {
		err = a.races(ctx, results)
	}
	if err != nil {
		return nil, err
	}
	r := results[0]
	a.update(e, func(record *progress.Record) {
		record.Runs++
		if r.Solved() && whole && o.Seed == 0 {
			record.Passed = before
		}
	})
	return r, nil
}

// matches refuses a pattern that no test of e matches.
func matches(e *course.Exercise, pattern string) error {
	match, err := regexp.Compile(pattern)
	if err != nil {
		return &usageError{fmt.Sprintf("-run: %v", err)}
	}
	if !slices.ContainsFunc(e.Tests, match.MatchString) {
		return &usageError{fmt.Sprintf("no test of %s matches %q; its tests are %s", e.ID, pattern, strings.Join(e.Tests, ", "))}
	}
	return nil
}

// untouched tells if the tests are not those that the exercise came with.
func (a *app) untouched(e *course.Exercise) (bool, error) {
	broken, err := seal.Broken(e)
	if err != nil || len(broken) == 0 {
		return err == nil, err
	}
	fmt.Fprintf(a.out, "%s\n\n", fill(fmt.Sprintf("In %s %s: a green result does not count like this. "+
		"git checkout %s brings the tests back.", e.TestDir(), strings.Join(broken, ", "), e.TestDir()), ""))
	return false, nil
}

// solved says what the exercise did not promise, and what comes next.
func (a *app) solved(e *course.Exercise) error {
	a.ledger(e)
	following, err := a.current()
	if err != nil || following == e {
		return err
	}
	p, err := a.progress()
	if err != nil {
		return err
	}
	fmt.Fprintln(a.out)
	if s, err := a.state(following, p); err != nil || s == passed {
		a.farewell()
		return err
	}
	a.announce(following)
	return nil
}

// ledger says what an exercise does not guarantee, and how to compare.
func (a *app) ledger(e *course.Exercise) {
	text, err := os.ReadFile(e.Path(e.LearnerDir(), "README.md"))
	if err == nil {
		if not := section(string(text), "## What this does not guarantee"); not != "" {
			fmt.Fprintf(a.out, "\nWhat this does not guarantee:\n%s\n", fill(not, "  "))
		}
	}
	if e.Written() {
		fmt.Fprintf(a.out, "\nHow others write it: go tool workshop diff %s\n", e.ID)
	}
}

// replay runs one seed and tells everything that happens in it.
func replay(ctx context.Context, a *app, args []string) error {
	o := suite.Options{Trace: true, Fresh: true}
	rest, err := flags("replay", args, func(f *flag.FlagSet) {
		f.StringVar(&o.Run, "run", "", "only tests whose names match this `pattern`")
	})
	if err != nil {
		return err
	}
	if len(rest) == 0 {
		return &usageError{"replay takes a seed, as a failure prints it, and perhaps an exercise: go tool workshop replay 42 4.6"}
	}
	if o.Seed, err = strconv.ParseUint(rest[0], 10, 32); err != nil || o.Seed == 0 {
		return &usageError{fmt.Sprintf("%q is no seed; a seed is a number from 1 on", rest[0])}
	}
	e, err := a.one("replay", rest[1:])
	if err != nil {
		return err
	}
	if err := matches(e, o.Run); err != nil {
		return err
	}
	r, err := a.try(ctx, e, o)
	if err != nil {
		return err
	}
	told := 0
	for _, t := range r.Tests {
		if text := strings.TrimSpace(strings.Join(t.Output, "\n")); text != "" {
			fmt.Fprintf(a.out, "%s\n%s\n\n", a.paint(bold, words(t.Name)), strings.Join(t.Output, "\n"))
			told++
		}
	}
	if told == 0 {
		if err := a.result(r); err != nil {
			return err
		}
	}
	if r.Ended != suite.Passed {
		return errRed
	}
	return nil
}

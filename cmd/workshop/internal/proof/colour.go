package proof

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/plain"
	"github.com/protocluster/workshop/cmd/workshop/internal/suite"
	"github.com/protocluster/workshop/cmd/workshop/internal/variant"
)

// mostLines is how long a story may be.
const mostLines = 25

// stubs shows that stubs build, that go vet has nothing to say of them, and that
// every test fails with a story that blames nobody.
func (p *Prover) stubs(ctx context.Context) (Found, error) {
	var f Found
	plan, err := p.plan(none)
	if err != nil {
		return f, err
	}
	overlay, err := plan.Write(p.Course.Root)
	if err != nil {
		return f, err
	}
	if complaint, err := vet(ctx, p.Course.Root, overlay, p.Exercises); err != nil || complaint != "" {
		f.fault("go vet says of the stubs: %s", complaint)
		return f, err
	}
	results, err := p.run(ctx, plan, p.Exercises, suite.Options{})
	if err != nil {
		return f, err
	}
	tests := 0
	for _, r := range results {
		tests += len(r.Tests)
		if v := plain.Of(r); v != nil || len(r.Missing()) > 0 || len(r.Extra()) > 0 {
			f.fault("%s: %s", r.Exercise.ID, ending(r))
			continue
		}
		for _, t := range r.Tests {
			if fault := told(t); fault != "" {
				f.fault("%s: on the stub, %s %s", r.Exercise.ID, t.Name, fault)
			}
			if t.Misconception != "" {
				f.fault("%s: on the stub, %s blames the misconception %q; Need the call that the stub does not answer first",
					r.Exercise.ID, t.Name, t.Misconception)
			}
		}
	}
	f.Summary = fmt.Sprintf("red: %s of %s", plural(tests, "test"), plural(len(results), "exercise"))
	return f, nil
}

// told says what is wrong with how a test failed, or "".
func told(t *suite.Test) string {
	if t.Ended == suite.Skipped {
		return "" // a lab may leave out what belongs to a stretch
	}
	if t.Ended != suite.Failed {
		return "is not red"
	}
	text := strings.Join(t.Output, "\n")
	switch lines := len(t.Output); {
	case lines > mostLines:
		return fmt.Sprintf("tells its story in %d lines, want at most %d", lines, mostLines)
	case !strings.Contains(text, "replay:") || !strings.Contains(text, "read:"):
		return "does not tell a story; let package story say what happened"
	}
	return ""
}

func vet(ctx context.Context, root, overlay string, exercises []*course.Exercise) (complaint string, err error) {
	args := []string{"vet", "-overlay=" + overlay}
	for _, e := range exercises {
		args = append(args, "./"+e.LearnerDir(), "./"+e.TestDir())
	}
	return complain(ctx, root, args...)
}

// complain returns what go says, unless it is content.
func complain(ctx context.Context, root string, args ...string) (complaint string, err error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	if _, complained := errors.AsType[*exec.ExitError](err); complained {
		return string(bytes.TrimSpace(out)), ctx.Err()
	}
	return "", err
}

// solutions shows that solutions are green in any order of tests.
func (p *Prover) solutions(ctx context.Context) (Found, error) {
	var f Found
	plan, err := p.plan(every)
	if err != nil {
		return f, err
	}
	how := suite.Options{Race: p.Race, Shuffle: true, Fresh: true, Seeds: p.Seeds, Timeout: 20 * time.Minute}
	results, err := p.run(ctx, plan, p.Exercises, how)
	if err != nil {
		return f, err
	}
	var times []time.Duration
	tests := 0
	for _, r := range results {
		times = append(times, r.Elapsed)
		tests += len(r.Tests)
		if !r.Solved() {
			f.fault("%s: the solution is not green: %s", r.Exercise.ID, ending(r))
		}
		for _, t := range r.Tests {
			if t.Ended == suite.Skipped {
				f.fault("%s: %s was skipped, and everything is solved", r.Exercise.ID, t.Name)
			}
		}
	}
	if complaint, err := p.member(ctx, plan); err != nil || complaint != "" {
		f.fault("cmd/member does not run on the solutions: %s", complaint)
		return f, err
	}
	slices.Sort(times)
	with := ""
	if p.Race {
		with = " with the race detector"
	}
	f.Summary = fmt.Sprintf("green%s: %s of %s; an exercise takes %v, the longest %v", with,
		plural(tests, "test"), plural(len(results), "exercise"),
		times[len(times)/2].Round(10*time.Millisecond), times[len(times)-1].Round(10*time.Millisecond))
	return f, nil
}

// member shows that a member runs on the solutions, as a process would, if that
// is what a lab is about.
func (p *Prover) member(ctx context.Context, plan *variant.Plan) (complaint string, err error) {
	if !slices.ContainsFunc(p.Exercises, func(e *course.Exercise) bool { return e.Level == course.Lab }) {
		return "", nil
	}
	overlay, err := plan.Write(p.Course.Root)
	if err != nil {
		return "", err
	}
	return complain(ctx, p.Course.Root, "test", "-tags=chapter4", "-overlay="+overlay, "-run=Chapter4", "./cmd/member")
}

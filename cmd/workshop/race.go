package main

import (
	"context"
	"os/exec"
	"strings"

	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/plain"
	"github.com/protocluster/workshop/cmd/workshop/internal/suite"
)

// races runs what is green again, under the race detector if this machine has
// one, and replaces those results in which it finds a data race: code that works
// as long as two goroutines do not meet is not solved.
func (a *app) races(ctx context.Context, results []*suite.Result) error {
	var green []*course.Exercise
	for _, r := range results {
		if r.Solved() {
			green = append(green, r.Exercise)
		}
	}
	if len(green) == 0 || !detects(ctx) {
		return ctx.Err()
	}
	a.note("Green. Looking for data races, which takes a minute the first time …")
	defer a.erase()
	raced, err := suite.Run(ctx, a.course.Root, green, suite.Options{Race: true})
	if err != nil {
		return ctx.Err() // there is no detector for this machine, or no room for what it needs
	}
	for _, again := range raced {
		if v := plain.Of(again); v == nil || v.Kind != plain.Race {
			continue // that it is slow is nobody's fault
		}
		for i, r := range results {
			if r.Exercise == again.Exercise {
				results[i] = again
			}
		}
	}
	return nil
}

// detects reports whether the race detector runs here: go says 0 where there is
// no C compiler.
func detects(ctx context.Context) bool {
	out, err := exec.CommandContext(ctx, "go", "env", "CGO_ENABLED").Output()
	return err == nil && strings.TrimSpace(string(out)) == "1"
}

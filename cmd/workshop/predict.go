package main

import (
	"context"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/protocluster/workshop/cmd/workshop/internal/progress"
	"github.com/protocluster/workshop/cmd/workshop/internal/suite"
)

// predict asks how sure the learner is that each test passes, runs them, and
// scores the judgement: by the mean square of what it was off.
//
// The score is Brier's; Monthly Weather Review 78(1), 1950.
func predict(ctx context.Context, a *app, args []string) error {
	names, err := flags("predict", args, func(*flag.FlagSet) {})
	if err != nil {
		return err
	}
	e, err := a.one("predict", names)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s\nHow sure are you that each test passes with your code as it is? "+
		"Write 0 to 100; Enter is 50, which is no idea.\n\n", a.paint(bold, title(e)))
	sure := make([]float64, len(e.Tests))
	for i, name := range e.Tests {
		if sure[i], err = a.percent(words(name)); err != nil {
			return err
		}
	}
	fmt.Fprintln(a.out)
	r, err := a.try(ctx, e, suite.Options{})
	if err != nil {
		return err
	}
	score := 0.0
	for i, name := range e.Tests {
		outcome, actual := "red", 0.0
		if t := r.Test(name); t != nil && t.Ended == suite.Passed {
			outcome, actual = "ok", 1
		}
		off := sure[i] - actual
		score += off * off / float64(len(e.Tests))
		fmt.Fprintf(a.out, "  %-4s you said %3.0f %%  %s\n", outcome, 100*sure[i], words(name))
	}
	fmt.Fprintf(a.out, "\nYour judgement: %.2f. 0 is a clairvoyant, 0.25 somebody who always says 50.\n", score)
	p, err := a.progress()
	if err != nil {
		return err
	}
	if before := p.Exercises[e.ID].Predictions; len(before) > 0 {
		fmt.Fprintf(a.out, "The last time it was %.2f.\n", before[len(before)-1].Score)
	}
	a.update(e, func(record *progress.Record) {
		record.Predictions = append(record.Predictions, progress.Prediction{At: time.Now().UTC(), Tests: len(e.Tests), Score: score})
	})
	return nil
}

// percent asks for a number from 0 to 100, until it gets one.
func (a *app) percent(question string) (float64, error) {
	for {
		fmt.Fprintf(a.out, "  %s? ", question)
		answer, err := a.in.ReadString('\n')
		answer = strings.TrimSuffix(strings.TrimSpace(answer), "%")
		if err != nil || answer == "" {
			if err != nil {
				fmt.Fprintln(a.out)
			}
			return 0.5, nil
		}
		if n, err := strconv.ParseFloat(strings.TrimSpace(answer), 64); err == nil && n >= 0 && n <= 100 {
			return n / 100, nil
		}
		fmt.Fprintf(a.out, "  %q is no number from 0 to 100.\n", answer)
	}
}

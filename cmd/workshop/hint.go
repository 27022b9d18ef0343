package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/protocluster/workshop/cmd/workshop/internal/progress"
)

const levels = 3

// hint shows the next hint: the first says where to begin, the last is nearly the
// code.
func hint(_ context.Context, a *app, args []string) error {
	level := 0
	names, err := flags("hint", args, func(f *flag.FlagSet) {
		f.IntVar(&level, "level", 0, "show this `level`, 1 to 3, again; 0 means the next one")
	})
	if err != nil {
		return err
	}
	e, err := a.one("hint", names)
	if err != nil {
		return err
	}
	if !e.Written() {
		fmt.Fprintf(a.out, "%s has nothing to write, and no hints. Its README says what to look at.\n", title(e))
		return nil
	}
	p, err := a.progress()
	if err != nil {
		return err
	}
	if level == 0 {
		level = min(p.Exercises[e.ID].Hints+1, levels)
	}
	if level < 1 || level > levels {
		return &usageError{fmt.Sprintf("there are hints of level 1 to %d, not %d", levels, level)}
	}
	text, err := os.ReadFile(e.Path(e.LearnerDir(), "HINTS.md"))
	if err != nil {
		return err
	}
	heading := a.paint(bold, fmt.Sprintf("%s, hint %d of %d", title(e), level, levels))
	fmt.Fprintf(a.out, "%s\n\n%s\n\n", heading, fill(section(string(text), fmt.Sprintf("## %d. ", level)), ""))
	if level < levels {
		fmt.Fprintf(a.out, "Think about it for a while. The next one says more:\n  go tool workshop hint %s\n", e.ID)
	} else {
		fmt.Fprintf(a.out, "That was the last. After that there is only the solution:\n  go tool workshop diff %s\n", e.ID)
	}
	a.update(e, func(r *progress.Record) { r.Hints = max(r.Hints, level) })
	return nil
}

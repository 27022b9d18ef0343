package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path"
	"time"

	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/durable"
	"github.com/protocluster/workshop/cmd/workshop/internal/progress"
)

// reset puts the stub back, after it has copied what was there.
func reset(_ context.Context, a *app, args []string) error {
	var yes bool
	names, err := flags("reset", args, func(f *flag.FlagSet) { f.BoolVar(&yes, "yes", false, "do it without asking") })
	if err != nil {
		return err
	}
	e, err := a.one("reset", names)
	if err != nil {
		return err
	}
	same, err := isStub(e)
	if err != nil {
		return err
	}
	if same {
		fmt.Fprintf(a.out, "%s is as it was in the beginning.\n", title(e))
		return nil
	}
	if !yes {
		if yes, err = a.ask(fmt.Sprintf("Begin %s anew? Your files are copied first.", title(e))); err != nil || !yes {
			return err
		}
	}
	copied, err := putAside(e)
	if err != nil {
		return fmt.Errorf("nothing was reset: %w", err)
	}
	if err := writeStubs(e); err != nil {
		return err
	}
	a.update(e, func(r *progress.Record) { r.Passed = "" })
	fmt.Fprintf(a.out, "%s is as it was in the beginning.\n", title(e))
	if copied != "" {
		fmt.Fprintf(a.out, "What you had is in %s.\n", copied)
	}
	return nil
}

// putAside moves the learner's Go files to a folder of their own, and returns
// its name; "" if there are none. Nothing is removed before all are copied.
func putAside(e *course.Exercise) (string, error) {
	names, err := e.GoFiles(e.LearnerDir())
	if err != nil || len(names) == 0 {
		return "", err
	}
	dir := path.Join(progress.Dir, "copies", e.ID+"-"+time.Now().Format("20060102-150405.000"))
	for _, name := range names {
		text, err := os.ReadFile(e.Path(e.LearnerDir(), name))
		if err != nil {
			return "", err
		}
		// With another ending, so that no tool takes them for code.
		if err := durable.Write(e.Path(dir, name+".txt"), text); err != nil {
			return "", err
		}
	}
	for _, name := range names {
		if err := os.Remove(e.Path(e.LearnerDir(), name)); err != nil {
			return "", err
		}
	}
	return dir, nil
}

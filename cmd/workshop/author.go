package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/protocluster/workshop/cmd/workshop/internal/belief"
	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/durable"
	"github.com/protocluster/workshop/cmd/workshop/internal/proof"
	"github.com/protocluster/workshop/cmd/workshop/internal/scaffold"
	"github.com/protocluster/workshop/cmd/workshop/internal/seal"
	"github.com/protocluster/workshop/cmd/workshop/internal/suite"
	"github.com/protocluster/workshop/cmd/workshop/internal/variant"
)

// author has what people who write exercises need.
func author(ctx context.Context, a *app, args []string) error {
	what := ""
	if len(args) > 0 {
		what, args = args[0], args[1:]
	}
	switch what {
	case "new":
		return authorNew(a, args)
	case "stubs":
		return authorStubs(a, args)
	case "check":
		return authorCheck(ctx, a, args)
	}
	return &usageError{"author new writes a new exercise that explains itself, author stubs makes stubs and seals tests, " +
		"author check proves everything about an exercise"}
}

// authorNew makes the files of an exercise that the manifest has as a draft.
func authorNew(a *app, args []string) error {
	if len(args) != 1 {
		return &usageError{"author new takes the id of an exercise that " + course.Manifest + " lists as a draft, such as 4.4"}
	}
	e, err := a.course.Draft(args[0])
	if err != nil {
		return err
	}
	files, err := scaffold.Write(e)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s %s begins with\n  %s\n", e.ID, e.Title, strings.Join(files, "\n  "))
	fmt.Fprintf(a.out, "Write them, take \"draft\" out of %s, then run go tool workshop author check %s. chapters/AUTHORING.md says how.\n",
		course.Manifest, e.ID)
	return nil
}

// authorStubs writes the stubs and seals the tests of the exercises named, or of
// all.
func authorStubs(a *app, args []string) error {
	exercises, err := a.exercises(args)
	if err != nil {
		return err
	}
	for _, e := range exercises {
		if err := writeStubs(e); err != nil {
			return err
		}
		if err := seal.Write(e); err != nil {
			return err
		}
		fmt.Fprintf(a.out, "%s %s: stubs and %s written\n", e.ID, e.Title, seal.Name)
	}
	return nil
}

func writeStubs(e *course.Exercise) error {
	if !e.Written() {
		return nil
	}
	stubs, err := variant.Stubs(e)
	if err != nil {
		return err
	}
	for name, text := range stubs {
		if err := durable.Write(e.Path(e.LearnerDir(), name), text); err != nil {
			return err
		}
	}
	return nil
}

// authorCheck writes what can be derived, and then proves everything about the
// exercises named.
func authorCheck(ctx context.Context, a *app, args []string) error {
	if err := authorStubs(a, args); err != nil {
		return err
	}
	p := &proof.Prover{Course: a.course}
	var err error
	if p.Exercises, err = a.exercises(args); err != nil {
		return err
	}
	err = p.EachWrong(ctx, func(r *suite.Result, w course.Wrong) error { return belief.WriteFails(r, w.Misconception) })
	if err != nil {
		return err
	}
	return verify(ctx, a, args)
}

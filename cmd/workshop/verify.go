package main

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/protocluster/workshop/cmd/workshop/internal/proof"
)

// verify proves that the workshop is right: all that it can, or what its flags
// name. It is for authors and CI; the learner's code plays no part.
func verify(ctx context.Context, a *app, args []string) error {
	p := &proof.Prover{Course: a.course, Tell: func(format string, args ...any) { fmt.Fprintf(a.out, "      "+format+"\n", args...) }}
	chosen := map[string]*bool{}
	names, err := flags("verify", args, func(f *flag.FlagSet) {
		for _, one := range p.All() {
			chosen[one.Name] = f.Bool(one.Name, false, one.Says)
		}
		f.IntVar(&p.Seeds, "seeds", 0, "how many `seeds` each test of a solution runs; 0 means the usual number")
		f.BoolVar(&p.Race, "race", false, "run solutions with the race detector")
		f.IntVar(&p.Traces, "times", 0, "how `often` one seed runs to compare its traces; 0 means 20")
		f.IntVar(&p.Sample, "sample", 1, "of the mutants, try one of so `many`, always the same ones")
		f.BoolVar(&p.Load, "load", false, "compare traces while all processors are busy")
	})
	if err != nil {
		return err
	}
	if p.Exercises, err = a.exercises(names); err != nil {
		return err
	}
	some := false
	for _, yes := range chosen {
		some = some || *yes
	}
	red := false
	for _, one := range p.All() {
		if some && !*chosen[one.Name] || !some && one.Slow {
			continue
		}
		ok, err := a.prove(ctx, one)
		if err != nil {
			return err
		}
		red = red || !ok
	}
	if red {
		return errRed
	}
	return nil
}

// prove prints what a proof found, and whether it holds.
func (a *app) prove(ctx context.Context, one proof.Proof) (ok bool, err error) {
	began := time.Now()
	found, err := one.Run(ctx)
	if err != nil {
		return false, fmt.Errorf("%s: %w", one.Name, err)
	}
	took := time.Since(began).Round(100 * time.Millisecond)
	if len(found.Faults) == 0 {
		fmt.Fprintf(a.out, "ok    %-10s %s (%v)\n", one.Name, found.Summary, took)
		return true, nil
	}
	fmt.Fprintf(a.out, "FAIL  %-10s not true: %s (%v)\n", one.Name, one.Says, took)
	for _, fault := range found.Faults {
		fmt.Fprintf(a.out, "      %s\n", strings.ReplaceAll(fault, "\n", "\n      "))
	}
	return false, nil
}

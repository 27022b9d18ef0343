package proof

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/durable"
	"github.com/protocluster/workshop/cmd/workshop/internal/mutate"
	"github.com/protocluster/workshop/cmd/workshop/internal/plain"
	"github.com/protocluster/workshop/cmd/workshop/internal/suite"
	"github.com/protocluster/workshop/cmd/workshop/internal/variant"
)

const (
	// survivorsFile is beside a solution: a line for each mutant that tests
	// cannot or need not notice, and after " # " why.
	survivorsFile = "survivors.txt"
	leastDead     = 90 // of 100 mutants
	mutantTimeout = 5 * time.Second
)

// mutants shows that solutions which nobody wrote down as wrong fail too: at
// least nine of ten small faults are noticed, and for each of the others somebody
// has said why not.
func (p *Prover) mutants(ctx context.Context) (Found, error) {
	var f Found
	dead, all := 0, 0
	for _, e := range p.written() {
		survivors, count, err := p.survivors(ctx, e)
		if err != nil {
			return f, err
		}
		reasons, err := readReasons(e)
		if err != nil {
			return f, err
		}
		all, dead = all+count, dead+count-len(survivors)
		if count > 0 && (count-len(survivors))*100 < count*leastDead {
			f.fault("%s: %d of %d mutants die, want %d %%", e.ID, count-len(survivors), count, leastDead)
		}
		for _, m := range survivors {
			if reasons[m.Name] == "" {
				f.fault("%s: line %d: nothing notices if in %s", e.ID, m.Line, m.Name)
			}
		}
	}
	f.Summary = fmt.Sprintf("noticed: %d of %s", dead, plural(all, "mutant"))
	return f, nil
}

// survivors returns the mutants of e that pass all tests, and how many compile.
func (p *Prover) survivors(ctx context.Context, e *course.Exercise) (alive []mutate.Mutant, count int, err error) {
	names, err := e.GoFiles(e.SolutionDir())
	if err != nil {
		return nil, 0, err
	}
	for _, name := range names {
		text, err := os.ReadFile(e.Path(e.SolutionDir(), name))
		if err != nil {
			return nil, 0, err
		}
		mutants, err := mutate.Of(name, text)
		if err != nil {
			return nil, 0, err
		}
		for _, m := range mutants {
			r, err := p.try(ctx, e, name, m)
			if err != nil {
				return nil, 0, err
			}
			if v := plain.Of(r); v != nil && v.Kind == plain.Compile {
				continue
			}
			count++
			if r.Solved() {
				alive = append(alive, m)
			}
		}
	}
	return alive, count, nil
}

func (p *Prover) try(ctx context.Context, e *course.Exercise, name string, m mutate.Mutant) (*suite.Result, error) {
	plan := new(variant.Plan)
	if err := plan.Solution(e); err != nil {
		return nil, err
	}
	file := e.Path(variant.Cache, "mutants", e.Chapter().Dir, e.Dir, name)
	if err := durable.Write(file, m.Text); err != nil {
		return nil, err
	}
	plan.File(e, name, file)
	results, err := p.run(ctx, plan, []*course.Exercise{e}, suite.Options{Race: p.Race, Timeout: mutantTimeout})
	if err != nil {
		return nil, err
	}
	return results[0], nil
}

// readReasons returns why mutants survive, by their names.
func readReasons(e *course.Exercise) (map[string]string, error) {
	text, err := os.ReadFile(e.Path(e.SolutionDir(), survivorsFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	reasons := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, why, ok := strings.Cut(strings.TrimSpace(line), " # "); ok {
			reasons[strings.TrimSpace(name)] = strings.TrimSpace(why)
		}
	}
	return reasons, nil
}

package proof

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"os"
	"slices"
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
// has said why not. Each run of go test tries one mutant of every exercise.
func (p *Prover) mutants(ctx context.Context) (Found, error) {
	var f Found
	var all []*mutated
	for _, e := range p.written() {
		m, err := p.mutantsOf(e)
		if err != nil {
			return f, err
		}
		all = append(all, m)
	}
	for round, some := 0, true; some; round++ {
		var err error
		if some, err = p.tryRound(ctx, all, round); err != nil {
			return f, err
		}
	}
	dead, count := 0, 0
	for _, m := range all {
		m.judge(&f)
		dead, count = dead+m.count-len(m.alive), count+m.count
	}
	f.Summary = fmt.Sprintf("noticed: %d of %s", dead, plural(count, "mutant"))
	if p.Sample > 1 {
		f.Summary += fmt.Sprintf(", one of %d that there are", p.Sample)
	}
	return f, nil
}

// mutated is an exercise and what became of its mutants.
type mutated struct {
	exercise *course.Exercise
	mutants  []mutant
	names    map[string]bool   // of all, tried or not
	reasons  map[string]string // why mutants survive, by their names
	count    int               // of those that compile
	alive    []mutate.Mutant
	noticed  map[string]bool // names of those that a test found wrong
}

// mutant is a mutant of that file.
type mutant struct {
	mutate.Mutant
	file string
}

func (p *Prover) mutantsOf(e *course.Exercise) (*mutated, error) {
	names, err := e.GoFiles(e.SolutionDir())
	if err != nil {
		return nil, err
	}
	m := &mutated{exercise: e, names: map[string]bool{}, noticed: map[string]bool{}}
	for _, name := range names {
		text, err := os.ReadFile(e.Path(e.SolutionDir(), name))
		if err != nil {
			return nil, err
		}
		found, err := mutate.Of(name, text)
		if err != nil {
			return nil, err
		}
		for _, one := range found {
			m.names[one.Name] = true
			if p.sampled(one.Name) {
				m.mutants = append(m.mutants, mutant{one, name})
			}
		}
	}
	m.reasons, err = readReasons(e)
	return m, err
}

// sampled reports whether a mutant of that name is tried. It does not depend on
// what other mutants there are.
func (p *Prover) sampled(name string) bool {
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(name))
	return sum.Sum32()%uint32(max(p.Sample, 1)) == 0
}

// tryRound tests the round-th mutant of each exercise, and reports whether there
// was any.
func (p *Prover) tryRound(ctx context.Context, all []*mutated, round int) (some bool, err error) {
	plan := new(variant.Plan)
	var tried []*mutated
	var exercises []*course.Exercise
	for _, m := range all {
		if round >= len(m.mutants) {
			continue
		}
		one, e := m.mutants[round], m.exercise
		if err := plan.Solution(e); err != nil {
			return false, err
		}
		file := e.Path(variant.Cache, "mutants", e.Chapter().Dir, e.Dir, one.file)
		if err := durable.Write(file, one.Text); err != nil {
			return false, err
		}
		plan.File(e, one.file, file)
		tried, exercises = append(tried, m), append(exercises, e)
	}
	results, err := p.run(ctx, plan, exercises, suite.Options{Race: p.Race, First: true, Timeout: mutantTimeout})
	for i, r := range results {
		tried[i].take(tried[i].mutants[round].Mutant, r)
	}
	return len(tried) > 0, err
}

// take notes how the tests of a mutant ended.
func (m *mutated) take(one mutate.Mutant, r *suite.Result) {
	v := plain.Of(r)
	switch {
	case v != nil && v.Kind == plain.Compile:
		return
	case r.Solved():
		m.alive = append(m.alive, one)
	case v == nil: // not for want of time
		m.noticed[one.Name] = true
	}
	m.count++
}

// judge finds fault with survivors without a reason, and with reasons without a
// survivor.
func (m *mutated) judge(f *Found) {
	id, dead := m.exercise.ID, m.count-len(m.alive)
	if len(m.mutants) == len(m.names) && dead*100 < m.count*leastDead {
		f.fault("%s: %d of %d mutants die, want %d %%", id, dead, m.count, leastDead)
	}
	if excused := len(m.reasons); excused*100 > len(m.names)*(100-leastDead) {
		f.fault("%s: %s excuses %d of %d mutants, want %d %% at most", id, survivorsFile, excused, len(m.names), 100-leastDead)
	}
	for _, one := range m.alive {
		if m.reasons[one.Name] == "" {
			f.fault("%s: line %d: nothing notices if in %s", id, one.Line, one.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.reasons)) {
		if !m.names[name] || m.noticed[name] {
			f.fault("%s: %s has a line too many, for nothing survives like that: %s", id, survivorsFile, name)
		}
	}
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

package proof

import (
	"context"
	"fmt"

	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/suite"
)

// order shows that whoever solves one exercise after another sees one after
// another turn green.
func (p *Prover) order(ctx context.Context) (Found, error) {
	var f Found
	all := p.written()
	for k := range len(all) + 1 {
		solved := map[*course.Exercise]bool{}
		for _, e := range all[:k] {
			solved[e] = true
		}
		if err := p.exactly(ctx, &f, solved, fmt.Sprintf("after the first %d", k)); err != nil {
			return f, err
		}
	}
	f.Summary = fmt.Sprintf("one after another turns green: %s", plural(len(all), "exercise"))
	return f, nil
}

// alone shows that no exercise needs another's solution.
func (p *Prover) alone(ctx context.Context) (Found, error) {
	var f Found
	all := p.written()
	for _, e := range all {
		if err := p.exactly(ctx, &f, map[*course.Exercise]bool{e: true}, "with "+e.ID+" alone"); err != nil {
			return f, err
		}
	}
	f.Summary = fmt.Sprintf("green on its own: %s", plural(len(all), "solution"))
	return f, nil
}

// exactly finds fault with those that are solved and not green, or green and not
// solved. Whatever did not change since the run before comes from go's cache.
func (p *Prover) exactly(ctx context.Context, f *Found, solved map[*course.Exercise]bool, when string) error {
	plan, err := p.plan(func(e *course.Exercise) bool { return solved[e] })
	if err != nil {
		return err
	}
	results, err := p.run(ctx, plan, p.written(), suite.Options{})
	if err != nil {
		return err
	}
	for _, r := range results {
		switch {
		case solved[r.Exercise] && !r.Solved():
			f.fault("%s, %s is not green: %s", when, r.Exercise.ID, ending(r))
		case !solved[r.Exercise] && r.Solved():
			f.fault("%s, %s is green without its solution", when, r.Exercise.ID)
		}
	}
	return nil
}

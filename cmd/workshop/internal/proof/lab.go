package proof

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/protocluster/workshop/cmd/internal/ports"
	"github.com/protocluster/workshop/cmd/workshop/internal/lab"
)

// verified is the project of the lab that is proven, beside a learner's own.
const verified = lab.Project + "-verify"

// lab shows that a cluster of the solutions survives each scenario of the lab.
func (p *Prover) lab(ctx context.Context) (f Found, err error) {
	l := lab.Open(p.Course, verified, p.Tell)
	free, err := ports.Free(ctx, 1)
	if err != nil {
		return f, err
	}
	defer func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		err = errors.Join(err, l.Down(ending))
	}()
	if err := l.Up(ctx, lab.Options{Code: lab.Solutions, Port: free[0]}); err != nil {
		return f, err
	}
	answered, begun := 0, 0
	for _, s := range lab.Scenarios() {
		if err := l.Play(ctx, s); err != nil {
			f.fault("%s: %v", s.Name, err)
		}
		c, err := l.Check(ctx)
		if err != nil {
			return f, err
		}
		answered, begun = answered+c.Facts.Total.Answered, begun+c.Facts.Begun
		if c.OK() {
			continue
		}
		for _, finding := range c.Findings {
			if !finding.OK {
				f.fault("%s: %s", s.Name, finding.Text)
			}
		}
		f.fault("%s", c.Timeline)
	}
	f.Summary = fmt.Sprintf("no user in two places, no acknowledged write lost: %s, %d answers, %d activations",
		plural(len(lab.Scenarios()), "scenario"), answered, begun)
	return f, nil
}

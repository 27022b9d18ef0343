package proof

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"github.com/protocluster/workshop/cmd/workshop/internal/course"
	"github.com/protocluster/workshop/cmd/workshop/internal/suite"
)

// usualTraces is how often one seed runs.
const usualTraces = 20

// traces shows that one seed does the same each time, if asked for also while
// the machine has too much to do.
func (p *Prover) traces(ctx context.Context) (Found, error) {
	var f Found
	plan, err := p.plan(every)
	if err != nil {
		return f, err
	}
	if p.Load {
		defer burn(2 * runtime.NumCPU())()
	}
	times := p.Traces
	if times <= 0 {
		times = usualTraces
	}
	traces, often := 0, times
	for _, group := range [][]*course.Exercise{p.written(), p.labs()} {
		results, err := p.run(ctx, plan, group, suite.Options{Seed: 1, Count: times})
		if err != nil {
			return f, err
		}
		for _, r := range results {
			traces += steady(r, &f)
		}
		times = max(times/10, 2) // a lab runs whole clusters
	}
	f.Summary = fmt.Sprintf("the same %d times of %d: %s", often, often, plural(traces, "trace"))
	return f, nil
}

// steady finds fault with tests whose traces differ, and counts the traces.
func steady(r *suite.Result, f *Found) (traces int) {
	for _, t := range r.Tests {
		if t.Trace != "" {
			traces++
		}
		if t.Unsteady {
			f.fault("%s: %s did something else with the same seed; what in it is random, or depends on which goroutine runs first?",
				r.Exercise.ID, t.Name)
		}
	}
	return traces
}

// burn keeps that many goroutines busy until the function it returns is called.
func burn(n int) (stop func()) {
	done := make(chan struct{})
	var busy sync.WaitGroup
	for range n {
		busy.Go(func() {
			for x := uint64(1); ; x = x*6364136223846793005 + 1 {
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	return func() { close(done); busy.Wait() }
}

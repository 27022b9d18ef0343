package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview/explore/search"
	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview/model"
)

// limits are what a run may use.
type limits struct {
	workers int
	memory  int64
	seed    uint64
}

func (l limits) options(p *search.Progress) search.Options {
	return search.Options{Workers: l.workers, Memory: l.memory, Seed: l.seed, Progress: p}
}

// outcome is what exploring a configuration showed.
type outcome struct {
	search.Result[model.State]
	protocol protocol
	steps    []model.Step // to the state that is wrong
}

// verdict says in a few words whether the configuration holds, and whether that
// is as it should be.
func (o outcome) verdict() (text string, good bool) {
	switch {
	case o.Wrong != "":
		return "VIOLATED", false
	case !o.Complete:
		return "INCOMPLETE", false
	case o.protocol.idle() != 0:
		return "NEVER SERVED by " + names(o.protocol.idle()), false
	case o.protocol.unbounded():
		return "holds, for any number of changes", true
	}
	return "holds", true
}

// found reports whether two nodes could dispatch at a time, and the same steps
// lead there if none is left out and no fact forgotten.
func (o outcome) found() bool {
	if o.Wrong == "" {
		return false
	}
	states, err := replay(o.protocol, o.steps)
	return err == nil && o.protocol.Model.Check(&states[len(states)-1]) == model.TwoServe
}

// explore visits all states of a configuration. If one is wrong it searches
// again, remembering, for the shortest way there.
func explore(ctx context.Context, p protocol, l limits, progress *search.Progress) outcome {
	o := outcome{protocol: p, Result: search.Exhaust(ctx, p, l.options(progress))}
	if o.Wrong != "" {
		o.Result, o.steps = search.Shortest(ctx, p, l.options(progress))
	}
	return o
}

// shortest searches for the shortest way to break a protocol that should break.
func shortest(ctx context.Context, p protocol, l limits, progress *search.Progress) outcome {
	result, steps := search.Shortest(ctx, p, l.options(progress))
	return outcome{protocol: p, Result: result, steps: steps}
}

// wander takes random walks for some time.
func wander(ctx context.Context, p protocol, depth int, d time.Duration, l limits, progress *search.Progress) outcome {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	result, steps := search.Walk(ctx, p, depth, l.options(progress))
	return outcome{protocol: p, Result: result, steps: steps}
}

// breakAll breaks each mutation in its case, as many at a time as there are
// workers, and returns what came of them in the order of the mutations. tried
// counts those that are done.
func breakAll(ctx context.Context, l limits, tried *atomic.Int64) ([]outcome, error) {
	var protocols []protocol
	var faults []error
	for mutation := range model.Mutations() {
		p, err := newProtocol(caseOf(mutation))
		protocols, faults = append(protocols, p), append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	outcomes := make([]outcome, len(protocols))
	share := limits{memory: l.memory / int64(max(l.workers, 1)), seed: l.seed}
	var next atomic.Int64
	var group sync.WaitGroup
	for range max(l.workers, 1) {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(protocols)); i = next.Add(1) - 1 {
				outcomes[i] = shortest(ctx, protocols[i], share, nil)
				tried.Add(1)
			}
		})
	}
	group.Wait()
	return outcomes, nil
}

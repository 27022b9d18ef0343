package local

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/protocluster/workshop/benchmarks/internal/bench"
	"github.com/protocluster/workshop/benchmarks/internal/tally"
)

// ask is a workload: callers ask, each waiting for the reply before it asks
// again.
type ask struct {
	callers, actors int
	asks            int  // in all, about
	latency         bool // what is measured is the time of one, and its allocations
}

// asker is a system that can be asked.
type asker interface {
	system
	// echo starts n actors that reply with what they are asked.
	echo(n int)
	// ask asks actor to and returns the reply; caller counts from 0.
	ask(ctx context.Context, caller, to int, m *tally.Tick) (any, error)
}

func askers(a ask) []bench.Contender {
	run := func(ctx context.Context, s asker) (bench.Sample, error) { return a.run(ctx, s) }
	return []bench.Contender{
		contender(bench.Protocluster, func() asker { return newProtocluster() }, run),
		contender(bench.ProtoActor, func() asker { return newProtoActor() }, run),
		contender("channel", func() asker { return newAskedChannels(a.callers) }, run),
	}
}

func (a ask) run(ctx context.Context, s asker) (bench.Sample, error) {
	s.echo(a.actors)
	each := a.asks / a.callers
	errs := make([]error, a.callers)
	var done sync.WaitGroup
	before := bench.Allocations()
	start := time.Now()
	for caller := range a.callers {
		done.Go(func() { errs[caller] = askInTurn(ctx, s, caller, caller%a.actors, each) })
	}
	done.Wait()
	took := time.Since(start)
	total := float64(each * a.callers)
	if a.latency {
		return bench.Sample{float64(took.Nanoseconds()) / total, float64(bench.Allocations()-before) / total}, errors.Join(errs...)
	}
	return bench.Sample{total / took.Seconds()}, errors.Join(errs...)
}

// askInTurn asks n times and compares each reply with what was asked.
func askInTurn(ctx context.Context, s asker, caller, to, n int) error {
	messages := [2]tally.Tick{{Number: 0}, {Number: 1}}
	for i := range n {
		m := &messages[i%2]
		reply, err := s.ask(ctx, caller, to, m)
		if err != nil {
			return err
		}
		if reply != any(m) {
			return fmt.Errorf("local: caller %d was replied to with %v, want %v, which it asked", caller, reply, m)
		}
	}
	return nil
}

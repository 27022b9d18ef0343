package local

import (
	"context"
	"sync"
	"time"

	"github.com/protocluster/workshop/benchmarks/internal/bench"
	"github.com/protocluster/workshop/benchmarks/internal/tally"
)

// spawner is a system that can be filled with actors that wait for a message.
type spawner interface {
	system
	// idle starts n actors, each of which calls started when it has.
	idle(n int, started func())
}

func spawners(n int) []bench.Contender {
	run := func(ctx context.Context, s spawner) (bench.Sample, error) {
		before := bench.HeldBytes()
		var started sync.WaitGroup
		started.Add(n)
		start := time.Now()
		s.idle(n, started.Done)
		if err := tally.Await(ctx, &started); err != nil {
			return nil, err
		}
		took := time.Since(start)
		return bench.Sample{float64(n) / took.Seconds(), float64(bench.HeldBytes()-before) / float64(n)}, nil
	}
	return []bench.Contender{
		contender(bench.Protocluster, func() spawner { return newProtocluster() }, run),
		contender(bench.ProtoActor, func() spawner { return newProtoActor() }, run),
		contender("channel", func() spawner { return newChannels() }, run),
	}
}

package cluster

import (
	"context"
	"fmt"

	"github.com/protocluster/workshop/benchmarks/internal/bench"
	"github.com/protocluster/workshop/benchmarks/internal/remote"
)

// activations asks grains that are not there yet, all in one other process.
func activations(quick bool) bench.Workload {
	const callers = 64
	grains := bench.Pick(quick, 640, 50_000) / callers * callers
	w := bench.Workload{Name: "cluster/activate", Title: "first activations, all remote, 64 callers", Metrics: []bench.Metric{
		{Unit: "/s", Goals: []bench.Goal{{Than: bench.ProtoActor, Factor: 2}}},
		{Name: "p99", Unit: "ns", LessBetter: true},
	}}
	for _, s := range systems() {
		round := 0
		w.Contenders = append(w.Contenders, s.contender(elsewhere, nothing, func(ctx context.Context, n node) (bench.Sample, error) {
			round++
			fresh := func(caller, i int) string { return fmt.Sprint(round, "-", caller, "-", i) }
			times, err := askEach(ctx, n, callers, grains/callers, fresh)
			if err != nil {
				return nil, err
			}
			return bench.Sample{times.Rate(), times.Within(99)}, nil
		}))
	}
	w.Contenders = append(w.Contenders, remote.Asks(callers, grains, grains, func(caller, i int) int { return i*callers + caller }))
	return w
}

func nothing(context.Context, node) error { return nil }

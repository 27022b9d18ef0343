package crowd

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/protocluster/workshop/benchmarks/internal/bench"
)

// idle is a workload: n grains on one member that nobody asks anything.
func idle(n int) bench.Workload {
	return bench.Workload{
		Name:   fmt.Sprintf("grains/%d", n),
		Title:  fmt.Sprintf("%d idle grains on a member", n),
		Growth: bench.Growth{Of: "identities", Size: n},
		Metrics: []bench.Metric{
			{Name: "activations", Unit: "/s"},
			{Name: "bytes each", Unit: "B", LessBetter: true},
		},
		Contenders: contenders("grains", n, 0, bench.Protocluster, bench.ProtoActor),
	}
}

// measureGrains has 64 callers activate n grains.
func measureGrains(ctx context.Context, gather gather, n int, _ time.Duration) (bench.Sample, error) {
	c, err := gather(1)
	if err != nil {
		return nil, err
	}
	if err := c.add(ctx, 1); err != nil {
		return nil, err
	}
	if err := bench.Until(ctx, "the member sees itself", func() bool { return c.agreed(1) }); err != nil {
		return nil, err
	}
	if err := c.activate(ctx, "first"); err != nil { // which waits until the member may
		return nil, err
	}
	const callers = 64
	each := (n + callers - 1) / callers
	before := bench.HeldBytes()
	times, err := bench.Callers(ctx, callers, each, func(ctx context.Context, caller, i int) error {
		return c.activate(ctx, strconv.Itoa(caller*each+i))
	})
	if err != nil {
		return nil, err
	}
	return bench.Sample{times.Rate(), float64(bench.HeldBytes()-before) / float64(each*callers)}, nil
}

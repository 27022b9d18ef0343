package crowd

import (
	"context"
	"fmt"
	"time"

	"github.com/protocluster/workshop/benchmarks/internal/bench"
)

// members is a workload: n members that nobody asks anything.
func members(n int, quick bool) bench.Workload {
	window := 2 * time.Second
	if quick {
		window = 200 * time.Millisecond
	}
	return bench.Workload{
		Name:   fmt.Sprintf("members/%d", n),
		Title:  fmt.Sprintf("%d members", n),
		Growth: bench.Growth{Of: "members", Size: n},
		Metrics: []bench.Metric{
			{Name: "background segments", Unit: "/s", LessBetter: true},
			{Name: "processor time", Unit: "%", LessBetter: true},
			{Name: "a join until all agree", Unit: "ns", LessBetter: true},
			{Name: "bytes each", Unit: "B", LessBetter: true},
		},
		Contenders: contenders("members", n, window),
	}
}

// measureMembers has all but one join, then the last, and then waits.
func measureMembers(ctx context.Context, c crowd, n int, window time.Duration) (bench.Sample, error) {
	const perPair, others = 8, 200 // open files: both ends of connections both ways, for leases and for messages
	if err := allow(perPair*n*n/2 + others); err != nil {
		return nil, err
	}
	before := bench.HeldBytes()
	if err := c.add(ctx, n-1); err != nil {
		return nil, err
	}
	if err := bench.Until(ctx, "all members agree", func() bool { return c.agreed(n - 1) }); err != nil {
		return nil, err
	}
	start := time.Now()
	joined := make(chan error, 1)
	go func() { joined <- c.add(ctx, 1) }()
	if err := bench.Until(ctx, "all members agree on one more", func() bool { return c.agreed(n) }); err != nil {
		return nil, err
	}
	agreement := time.Since(start)
	if err := <-joined; err != nil {
		return nil, err
	}
	held := bench.HeldBytes() - before
	if !wait(ctx, window/2) { // what the join began comes to an end
		return nil, context.Cause(ctx)
	}
	segments, used, err := usage()
	if err != nil {
		return nil, err
	}
	start = time.Now()
	if !wait(ctx, window) {
		return nil, context.Cause(ctx)
	}
	moreSegments, moreUsed, err := usage()
	took := time.Since(start).Seconds()
	return bench.Sample{float64(moreSegments-segments) / took, 100 * (moreUsed - used).Seconds() / took,
		float64(agreement), float64(held) / float64(n)}, err
}

func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

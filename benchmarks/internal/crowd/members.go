package crowd

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/protocluster/workshop/benchmarks/internal/bench"
)

// mostProtoActor is how many members of protoactor-go are tried: 100 do not agree
// within a minute.
const mostProtoActor = 30

// members is a workload: n members that nobody asks anything.
func members(n int, quick bool) bench.Workload {
	window := 2 * time.Second
	if quick {
		window = 200 * time.Millisecond
	}
	names := []string{bench.Protocluster, bench.ProtoActor, bench.Eventual}
	if n > mostProtoActor {
		names = []string{bench.Protocluster, bench.Eventual}
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
		Contenders: contenders("members", n, window, names...),
	}
}

// together is how many members join at a time: as many as a rolling start of a
// large cluster would.
const together = 10

// measureMembers has all but one join, then the last, and then waits.
func measureMembers(ctx context.Context, gather gather, n int, window time.Duration) (bench.Sample, error) {
	c, err := gather(n)
	if err != nil {
		return nil, err
	}
	empty := bench.HeldBytes()
	for here := 0; here < n-1; {
		more := min(together, n-1-here)
		here += more
		if err := join(ctx, c, more, here); err != nil {
			return nil, err
		}
	}
	start := time.Now()
	if err := join(ctx, c, 1, n); err != nil {
		return nil, err
	}
	agreement := time.Since(start)
	held := bench.HeldBytes() - empty
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

// join has some more members join, and returns once all see that there are n.
func join(ctx context.Context, c crowd, more, n int) error {
	joining, ctx := errgroup.WithContext(ctx)
	joining.Go(func() error { return c.add(ctx, more) })
	joining.Go(func() error {
		return bench.Until(ctx, fmt.Sprintf("%d members agree", n), func() bool { return c.agreed(n) })
	})
	return joining.Wait()
}

func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

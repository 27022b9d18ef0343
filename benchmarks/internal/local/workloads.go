package local

import (
	"context"
	"time"

	"github.com/protocluster/workshop/benchmarks/internal/bench"
)

// Workloads returns the workloads of this package.
func Workloads(quick bool) []bench.Workload {
	against := func(factor float64) []bench.Goal { return []bench.Goal{{Than: bench.ProtoActor, Factor: factor}} }
	messages := bench.Pick(quick, 20_000, 2_000_000)
	asks := bench.Pick(quick, 2_000, 100_000)
	tells := func(factor float64) []bench.Metric {
		return []bench.Metric{{Unit: "/s", Goals: against(factor)},
			{Name: "allocations", LessBetter: true, Goals: []bench.Goal{{Factor: 0.01}}}} // 0, but for what comes with a slice that grows
	}
	return []bench.Workload{
		{Name: "local/tell/1to1", Title: "tell 1→1", Metrics: tells(2),
			Contenders: tellers(tell{senders: 1, actors: 1, messages: messages})},
		{Name: "local/tell/8to8", Title: "tell 8→8, in pairs", Metrics: tells(1.5),
			Contenders: tellers(tell{senders: 8, actors: 8, pairs: true, messages: messages})},
		{Name: "local/tell/8to1", Title: "tell 8→1", Metrics: tells(2.5),
			Contenders: tellers(tell{senders: 8, actors: 1, messages: messages})},
		{Name: "local/tell/1to1000", Title: "tell 1→1,000", Metrics: tells(4),
			Contenders: tellers(tell{senders: 1, actors: 1000, messages: messages})},
		{Name: "local/ask/1to1", Title: "ask, one after the other", Metrics: []bench.Metric{
			{Unit: "ns", LessBetter: true, Goals: against(0.4)},
			{Name: "allocations", LessBetter: true, Goals: []bench.Goal{{Factor: 1.01}}},
		}, Contenders: askers(ask{callers: 1, actors: 1, asks: asks, latency: true})},
		{Name: "local/ask/64to1", Title: "ask 64→1", Metrics: []bench.Metric{{Unit: "/s", Goals: against(3)}},
			Contenders: askers(ask{callers: 64, actors: 1, asks: 2 * asks})},
		{Name: "local/ask/64to64", Title: "ask 64→64", Metrics: []bench.Metric{{Unit: "/s", Goals: against(3)}},
			Contenders: askers(ask{callers: 64, actors: 64, asks: 2 * asks})},
		{Name: "local/spawn", Title: "spawn idle actors", Metrics: []bench.Metric{
			{Unit: "/s", Goals: against(2)},
			{Name: "bytes each", Unit: "B", LessBetter: true, Goals: []bench.Goal{{Factor: 500}}},
		}, Contenders: spawners(bench.Pick(quick, 5_000, 200_000))},
	}
}

// system is a set of actors, numbered from 0, for one run of one workload.
type system interface {
	// close ends what the system runs; it may be called once.
	close(ctx context.Context) error
}

// contender makes the Contender of a workload that has a system of its own for
// each run.
func contender[S system](name string, open func() S, run func(ctx context.Context, s S) (bench.Sample, error)) bench.Contender {
	once := func(ctx context.Context) (bench.Sample, error) {
		s := open()
		sample, err := run(ctx, s)
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if ended := s.close(ending); err == nil {
			err = ended
		}
		return sample, err
	}
	return bench.Contender{Name: name, Open: func(context.Context) (*bench.Instance, error) {
		return &bench.Instance{Run: once}, nil
	}}
}

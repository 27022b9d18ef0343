package remote

import (
	"context"
	"fmt"

	"github.com/protocluster/workshop/benchmarks/internal/bench"
	"github.com/protocluster/workshop/benchmarks/internal/process"
)

// The contenders that are limits.
const (
	grpcStream = "gRPC stream"
	grpcUnary  = "gRPC unary"
	tcp        = "TCP"
)

// Workloads returns the workloads of this package.
func Workloads(quick bool) []bench.Workload {
	than := func(name string, factor float64) []bench.Goal { return []bench.Goal{{Than: name, Factor: factor}} }
	messages := bench.Pick(quick, 5_000, 500_000)
	asks := bench.Pick(quick, 500, 5_000)
	many := []bench.Metric{{Unit: "/s"}, {Name: "p99", Unit: "ns", LessBetter: true}}
	goals := func(factor float64) []bench.Metric {
		metrics := append([]bench.Metric(nil), many...)
		metrics[0].Goals = than(grpcStream, factor)
		return metrics
	}
	all := []bench.Workload{
		{Name: "remote/tell/1to1", Title: "remote tell 1→1", Metrics: []bench.Metric{{Unit: "/s", Goals: than(grpcStream, 0.65)}},
			Contenders: tellers(tell{senders: 1, messages: messages, bytes: smallest})},
		{Name: "remote/tell/8to8", Title: "remote tell 8→8", Metrics: []bench.Metric{{Unit: "/s"}},
			Contenders: tellers(tell{senders: 8, messages: messages, bytes: smallest})},
		{Name: "remote/ask/1", Title: "remote ask, 1 caller, p50",
			Metrics:    []bench.Metric{{Unit: "ns", LessBetter: true, Goals: than(grpcStream, 1.1)}},
			Slices:     5,
			Contenders: askers(ask{callers: 1, asks: asks})},
		{Name: "remote/ask/64", Title: "remote ask, 64 callers", Metrics: goals(0.8),
			Contenders: askers(ask{callers: 64, asks: 10 * asks})},
		{Name: "remote/ask/512", Title: "remote ask, 512 callers", Metrics: goals(0.9),
			Contenders: askers(ask{callers: 512, asks: 10 * asks})},
	}
	sizes := []int{smallest, 1 << 10, 32 << 10, 1 << 20}
	if quick {
		sizes = sizes[3:]
	}
	for _, size := range sizes {
		all = append(all, sized(size, bench.Pick(quick, 4<<20, 128<<20)))
	}
	return all
}

// sized tells messages of that size, of so many bytes in all.
func sized(size, bytes int) bench.Workload {
	const most = 200_000
	return bench.Workload{
		Name:       fmt.Sprintf("remote/size/%d", size),
		Title:      fmt.Sprintf("remote tell 1→1 of %d bytes", size),
		Growth:     bench.Growth{Of: "bytes of a message", Size: size},
		Metrics:    []bench.Metric{{Name: "time each", Unit: "ns", LessBetter: true}},
		Contenders: tellers(tell{senders: 1, messages: min(most, bytes/size), bytes: size, cost: true}),
	}
}

// Servers are what runs in the other process, by the contender's name.
func Servers() map[string]process.Server {
	return map[string]process.Server{
		server(bench.Protocluster): serveProtocluster,
		server(bench.ProtoActor):   serveProtoActor,
		server(grpcStream):         serveGRPC,
		server(grpcUnary):          serveGRPC,
		server(tcp):                serveTCP,
	}
}

func server(name string) string { return "remote/" + name }

// peer is one side of a contender, connected to a server.
type peer interface {
	// close disconnects. It is called before the server ends.
	close(ctx context.Context) error
}

// contender makes the Contender of a workload that goes on with the same two
// processes in each run. connect is given the address of the other.
func contender[P peer](name string, connect func(ctx context.Context, address string) (P, error),
	run func(ctx context.Context, p P) (bench.Sample, error)) bench.Contender {
	return bench.Contender{Name: name, Open: open(server(name), connect, run)}
}

// open starts the server, with those arguments, and connects to it.
func open[P peer](server string, connect func(ctx context.Context, address string) (P, error),
	run func(ctx context.Context, p P) (bench.Sample, error), args ...string) func(ctx context.Context) (*bench.Instance, error) {
	return func(ctx context.Context) (*bench.Instance, error) {
		other, err := process.Start(ctx, server, args...)
		if err != nil {
			return nil, err
		}
		p, err := connect(ctx, other.Address)
		if err != nil {
			other.Kill()
			return nil, fmt.Errorf("remote: %s at %s: %w", server, other.Address, err)
		}
		return &bench.Instance{
			Run: func(ctx context.Context) (bench.Sample, error) { return run(ctx, p) },
			Close: func() error {
				err := p.close(context.Background())
				if ended := other.Stop(); err == nil {
					err = ended
				}
				return err
			},
		}, nil
	}
}

package cluster

import (
	"context"
	"errors"
	"fmt"

	"github.com/protocluster/workshop/benchmarks/internal/bench"
	"github.com/protocluster/workshop/benchmarks/internal/gen/benchpb"
	"github.com/protocluster/workshop/benchmarks/internal/process"
)

const (
	// kind is what the grains are.
	kind = "echo"
	// RemoteAsk is the contender that asks actors of another process, as many as
	// there are grains.
	RemoteAsk = "remote ask"
)

// Workloads returns the workloads of this package.
func Workloads(quick bool) []bench.Workload {
	var all []bench.Workload
	requests := bench.Pick(quick, 500, 5_000)
	many := []int{1, 64, 512}
	if quick {
		many = many[1:2]
	}
	for _, callers := range many {
		n := requests
		if callers > 1 {
			n *= 12
		}
		all = append(all, allRemote(callers, n, quick), halfRemote(callers, n, quick))
	}
	return append(all, activations(quick), failovers(quick))
}

// Servers are what runs in other processes, by the contender's name.
func Servers() map[string]process.Server {
	return map[string]process.Server{
		server(bench.Protocluster): serveStrict,
		server(bench.Eventual):     serveEventual,
		server(bench.ProtoActor):   serveProtoActor,
	}
}

func server(name string) string { return "cluster/" + name }

// layout is where the grains of a workload live: in other processes, and if here
// is set in this one too.
type layout struct {
	here   bool
	others int
}

// elsewhere is the layout with all grains in one other process.
var elsewhere = layout{others: 1}

// node is the node of this process in a cluster.
type node interface {
	// request asks a grain, which replies with m.
	request(ctx context.Context, identity string, m *benchpb.Item) (*benchpb.Item, error)
	// locate is the address of the member where a grain lives, which it
	// activates if need be.
	locate(ctx context.Context, identity string) (string, error)
	// hosts is how many members host grains, as this node sees it.
	hosts() int
	// launch starts one more process that hosts grains.
	launch(ctx context.Context) (*process.Process, error)
	close() error
}

// systems are how the contenders make their nodes, in the order of the table.
func systems() []system {
	return []system{{bench.Protocluster, newStrict}, {bench.ProtoActor, newProtoActor}, {bench.Eventual, newEventual}}
}

type system struct {
	name string
	open func(ctx context.Context, here bool) (node, error)
}

// contender makes the Contender of a workload of several processes.
func (s system) contender(l layout, prepare func(ctx context.Context, n node) error,
	run func(ctx context.Context, n node) (bench.Sample, error)) bench.Contender {
	return bench.Contender{Name: s.name, Open: func(ctx context.Context) (*bench.Instance, error) {
		c, err := assemble(ctx, s, l)
		if err == nil {
			err = prepare(ctx, c.node)
		}
		if err != nil {
			return nil, errors.Join(err, c.close())
		}
		return &bench.Instance{
			Run:   func(ctx context.Context) (bench.Sample, error) { return run(ctx, c.node) },
			Close: c.close,
		}, nil
	}}
}

// assembled is a cluster that is complete.
type assembled struct {
	node   node
	others []*process.Process
}

func assemble(ctx context.Context, s system, l layout) (*assembled, error) {
	c := &assembled{}
	var err error
	if c.node, err = s.open(ctx, l.here); err != nil {
		return c, err
	}
	want := l.others
	if l.here {
		want++
	}
	for range l.others {
		p, err := c.node.launch(ctx)
		if err != nil {
			return c, err
		}
		c.others = append(c.others, p)
	}
	return c, bench.Until(ctx, fmt.Sprintf("%d members host grains", want), func() bool { return c.node.hosts() == want })
}

func (c *assembled) close() error {
	var errs []error
	for _, p := range c.others {
		errs = append(errs, p.Stop())
	}
	if c.node != nil {
		errs = append(errs, c.node.close())
	}
	return errors.Join(errs...)
}

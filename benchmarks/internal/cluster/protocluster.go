package cluster

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/protocluster/workshop/benchmarks/internal/bench"
	"github.com/protocluster/workshop/benchmarks/internal/gen/benchpb"
	"github.com/protocluster/workshop/benchmarks/internal/process"
	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/automanaged"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/consul"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/consul/consultest"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/disthash"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/partition"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

const clusterName = "bench"

// protocluster is a node of this library.
type protocluster struct {
	cluster *cluster.Cluster
	name    string   // of the contender
	args    []string // of the processes
	end     func() error
}

// newStrict joins a cluster with leases; a fake of Consul in this process is its
// view store.
func newStrict(ctx context.Context, here bool) (node, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	store := &http.Server{Handler: consultest.NewServer(), ReadHeaderTimeout: time.Minute}
	go func() { _ = store.Serve(l) }() // Close ends it
	address := l.Addr().String()
	c, err := join(ctx, strict(address), here)
	if err != nil {
		return nil, err
	}
	return &protocluster{cluster: c, name: bench.Protocluster, args: []string{address}, end: store.Close}, nil
}

func strict(store string) *cluster.Config {
	return cluster.Configure(clusterName, consul.New(consul.WithAddress(store)), partition.New(), remote.Configure("127.0.0.1", 0))
}

func serveStrict(ctx context.Context, args []string, ready func(string)) error {
	return serve(ctx, strict(args[0]), ready)
}

// newEventual joins a cluster without leases, whose members watch each other.
func newEventual(ctx context.Context, here bool) (node, error) {
	seed, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	c, err := join(ctx, eventual(automanaged.Config{Bind: seed}), here)
	if err != nil {
		return nil, err
	}
	return &protocluster{cluster: c, name: bench.Eventual, args: []string{seed}, end: func() error { return nil }}, nil
}

func eventual(c automanaged.Config) *cluster.Config {
	return cluster.Configure(clusterName, automanaged.NewWith(c), disthash.New(), remote.Configure("127.0.0.1", 0))
}

func serveEventual(ctx context.Context, args []string, ready func(string)) error {
	return serve(ctx, eventual(automanaged.Config{Bind: "127.0.0.1:0", Seeds: args}), ready)
}

// freeAddress is one of loopback that nobody listens at.
func freeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// join makes a member, which hosts grains or not.
func join(ctx context.Context, config *cluster.Config, hosts bool) (*cluster.Cluster, error) {
	if hosts {
		config = config.With(cluster.WithKinds(echoKind()))
	}
	c := cluster.New(actor.NewSystem(actor.WithLogger(slog.New(slog.DiscardHandler))), config)
	return c, c.Join(ctx)
}

// echoKind is the kind of grains that reply with what they are asked.
func echoKind() cluster.Kind {
	return cluster.NewKind(kind, actor.PropsFromFunc(func(ctx actor.Context) {
		if m, ok := ctx.Message().(*benchpb.Item); ok {
			ctx.Respond(m)
		}
	}))
}

// serve is the life of a member in a process of its own.
func serve(ctx context.Context, config *cluster.Config, ready func(string)) error {
	c, err := join(ctx, config, true)
	if err != nil {
		return err
	}
	ready(c.System().Address())
	<-ctx.Done()
	return c.Close()
}

func (p *protocluster) request(ctx context.Context, identity string, m *benchpb.Item) (*benchpb.Item, error) {
	return cluster.Request[*benchpb.Item](ctx, p.cluster, cluster.Identity{Kind: kind, Identity: identity}, m)
}

func (p *protocluster) locate(ctx context.Context, identity string) (string, error) {
	pid, err := p.cluster.Locate(ctx, cluster.Identity{Kind: kind, Identity: identity})
	if err != nil {
		return "", err
	}
	return pid.Address, nil
}

func (p *protocluster) hosts() int { return len(p.cluster.View().Hosts(kind)) }

func (p *protocluster) launch(ctx context.Context) (*process.Process, error) {
	return process.Start(ctx, server(p.name), p.args...)
}

func (p *protocluster) close() error {
	err := p.cluster.Close()
	if ended := p.end(); err == nil {
		err = ended
	}
	return err
}

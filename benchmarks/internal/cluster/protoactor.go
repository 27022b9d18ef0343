package cluster

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/cluster"
	"github.com/asynkron/protoactor-go/cluster/clusterproviders/automanaged"
	"github.com/asynkron/protoactor-go/cluster/identitylookup/disthash"
	"github.com/asynkron/protoactor-go/remote"
	"github.com/labstack/echo"

	"github.com/protocluster/workshop/benchmarks/internal/bench"
	"github.com/protocluster/workshop/benchmarks/internal/gen/benchpb"
	"github.com/protocluster/workshop/benchmarks/internal/peers"
	"github.com/protocluster/workshop/benchmarks/internal/process"
)

// protoMembers bounds the processes of a cluster of protoactor-go: each polls
// every address at which one may be.
const protoMembers = 3

// protoActor is a node of protoactor-go, whose members poll each other.
type protoActor struct {
	cluster  *cluster.Cluster
	polled   []string // host:port; the first is this node's
	launched int
}

func newProtoActor(ctx context.Context, here bool) (node, error) {
	p := &protoActor{}
	for range protoMembers {
		address, err := freeAddress(ctx)
		if err != nil {
			return nil, err
		}
		p.polled = append(p.polled, address)
	}
	var err error
	p.cluster, err = joinProtoActor(p.polled, 0, here)
	return p, err
}

// joinProtoActor starts the member that is polled at the address of that number.
func joinProtoActor(polled []string, self int, hosts bool) (*cluster.Cluster, error) {
	_, text, err := net.SplitHostPort(polled[self])
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return nil, err
	}
	var c *cluster.Cluster
	polls := echo.New() // what the provider would make, but it prints where it listens
	polls.HideBanner, polls.HidePort = true, true
	polls.GET("/_health", func(ctx echo.Context) error {
		host, at, err := c.ActorSystem.GetHostPort()
		if err != nil {
			return err
		}
		return ctx.JSON(http.StatusOK, automanaged.NewNode(clusterName, c.ActorSystem.ID, host, at, port, c.GetClusterKinds()))
	})
	provider := automanaged.NewWithTesting(2*time.Second, port, polls, polled...) // as often as by default
	config := cluster.Configure(clusterName, provider, disthash.New(), remote.Configure("127.0.0.1", 0))
	if hosts {
		cluster.WithKinds(protoKind())(config)
	}
	c = cluster.New(peers.NewProtoActor(), config)
	c.StartMember()
	return c, nil
}

func protoKind() *cluster.Kind {
	return cluster.NewKind(kind, actor.PropsFromFunc(func(ctx actor.Context) {
		if m, ok := ctx.Message().(*benchpb.Item); ok {
			ctx.Respond(m)
		}
	}))
}

// serveProtoActor has the number of its address as the first argument, and then
// all addresses.
func serveProtoActor(ctx context.Context, args []string, ready func(string)) error {
	self, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	c, err := joinProtoActor(args[1:], self, true)
	if err != nil {
		return err
	}
	ready(c.ActorSystem.Address())
	<-ctx.Done()
	return nil // its Shutdown would wait for seconds, and the process ends anyway
}

func (p *protoActor) request(ctx context.Context, identity string, m *benchpb.Item) (*benchpb.Item, error) {
	var opts []cluster.GrainCallOption
	if end, ok := ctx.Deadline(); ok {
		opts = append(opts, cluster.WithTimeout(time.Until(end)))
	}
	reply, err := p.cluster.Request(identity, kind, m, opts...)
	item, ok := reply.(*benchpb.Item)
	if err == nil && !ok {
		err = fmt.Errorf("cluster: %s replied with %T", identity, reply)
	}
	return item, err
}

func (p *protoActor) locate(_ context.Context, identity string) (string, error) {
	pid := p.cluster.Get(identity, kind)
	if pid == nil {
		return "", fmt.Errorf("cluster: %s is nowhere", identity)
	}
	return pid.Address, nil
}

func (p *protoActor) hosts() int {
	hosts := 0
	for _, m := range p.cluster.MemberList.Members().Members() {
		if strings.Contains(strings.Join(m.Kinds, ","), kind) {
			hosts++
		}
	}
	return hosts
}

// launch takes the next address, or the last again: whoever was there is gone by
// then.
func (p *protoActor) launch(ctx context.Context) (*process.Process, error) {
	self := min(1+p.launched, len(p.polled)-1)
	p.launched++
	return process.Start(ctx, server(bench.ProtoActor), append([]string{strconv.Itoa(self)}, p.polled...)...)
}

func (p *protoActor) close() error {
	p.cluster.Shutdown(false)
	return p.cluster.Config.ClusterProvider.Shutdown(false)
}

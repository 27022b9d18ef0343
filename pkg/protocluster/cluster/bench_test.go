package cluster_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/test"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/disthash"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/partition"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

// Requests of one of three nodes over loopback TCP to identities that are
// active, of which half live on another node; without leases and with.
func BenchmarkClusterRequest(b *testing.B) {
	b.Run("disthash", func(b *testing.B) { benchmarkRequests(b, disthash.New()) })
	b.Run("partition", func(b *testing.B) { benchmarkRequests(b, partition.New()) })
}

// benchNodes starts three nodes that see each other.
func benchNodes(b *testing.B, lookup cluster.IdentityLookup, kind cluster.Kind) []*cluster.Cluster {
	b.Helper()
	config := cluster.Configure("bench", test.NewTestProvider(test.NewInMemAgent()), lookup, remote.Configure("127.0.0.1", 0), cluster.WithKinds(kind))
	var nodes []*cluster.Cluster
	for range 3 {
		c := cluster.New(actor.NewSystem(actor.WithLogger(slog.New(slog.DiscardHandler))), config)
		if err := c.Join(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = c.Close() })
		nodes = append(nodes, c)
	}
	for len(nodes[0].View().Hosts(kind.Name)) < 3 {
		<-time.After(time.Millisecond)
	}
	return nodes
}

func benchmarkRequests(b *testing.B, lookup cluster.IdentityLookup) {
	b.Helper()
	ctx := b.Context()
	echo := cluster.NewKind("user", actor.PropsFromFunc(func(ctx actor.Context) {
		if ctx.Sender() != nil {
			ctx.Respond(ctx.Message())
		}
	}))
	nodes := benchNodes(b, lookup, echo)
	const half = 500
	var near, far []cluster.Identity
	for i := 0; len(near) < half || len(far) < half; i++ {
		id := echo.ID(fmt.Sprint(i))
		pid, err := nodes[0].Locate(ctx, id)
		switch {
		case err != nil:
			b.Fatal(err)
		case pid.Address == nodes[0].System().Address():
			near = append(near, id)
		default:
			far = append(far, id)
		}
	}
	mixed := append(near[:half:half], far[:half]...)
	request := func(b *testing.B, id cluster.Identity) {
		b.Helper()
		if _, err := nodes[0].Request(ctx, id, "hello"); err != nil {
			b.Error(err)
		}
	}
	b.Run("one at a time", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			request(b, mixed[i*7%len(mixed)])
		}
	})
	b.Run("one at a time, all here", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			request(b, near[i%half])
		}
	})
	b.Run("many at a time", func(b *testing.B) {
		b.ReportAllocs()
		b.SetParallelism(128)
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				request(b, mixed[i*7%len(mixed)])
			}
		})
	})
	b.Run("many at a time, all here", func(b *testing.B) {
		b.ReportAllocs()
		b.SetParallelism(128)
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				request(b, near[i%half])
			}
		})
	})
}

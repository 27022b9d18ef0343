package cluster_test

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"
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

// warm are identities that are active, of which half live on the first of the
// nodes.
type warm struct {
	node             *cluster.Cluster
	near, far, mixed []cluster.Identity
}

func newWarm(b *testing.B, lookup cluster.IdentityLookup) *warm {
	b.Helper()
	echo := cluster.NewKind("user", actor.PropsFromFunc(func(ctx actor.Context) {
		if ctx.Sender() != nil {
			ctx.Respond(ctx.Message())
		}
	}))
	w := &warm{node: benchNodes(b, lookup, echo)[0]}
	const half = 500
	for i := 0; len(w.near) < half || len(w.far) < half; i++ {
		id := echo.ID(fmt.Sprint(i))
		pid, err := w.node.Locate(b.Context(), id)
		switch {
		case err != nil:
			b.Fatal(err)
		case pid.Address == w.node.System().Address():
			w.near = append(w.near, id)
		default:
			w.far = append(w.far, id)
		}
	}
	w.near, w.far = w.near[:half], w.far[:half]
	w.mixed = slices.Concat(w.near, w.far)
	return w
}

// crowd has callers make n requests each, and returns how long all took.
func (w *warm) crowd(b *testing.B, callers, n int, ids []cluster.Identity) time.Duration {
	b.Helper()
	ctx := b.Context()
	began := time.Now()
	var done sync.WaitGroup
	for caller := range callers {
		done.Go(func() {
			for i := range n {
				if _, err := w.node.Request(ctx, ids[(caller*31+i)*7%len(ids)], "hello"); err != nil {
					b.Error(err)
				}
			}
		})
	}
	done.Wait()
	return time.Since(began)
}

// BenchmarkLeases is the same requests without leases and with, in turns of some
// milliseconds, and the median of the ratios of the time that they take: what
// makes a machine faster or slower does so for both. Of each there are two
// clusters, made in the order A B B A, and asked in turn A B B A and B A A B: the
// one that was made later is a few per cent slower than another of its kind.
func BenchmarkLeases(b *testing.B) {
	clusters := []*warm{newWarm(b, disthash.New()), newWarm(b, partition.New()), newWarm(b, partition.New()), newWarm(b, disthash.New())}
	turns := func(name string, callers, n int, ids func(w *warm) []cluster.Identity) {
		b.Run(name, func(b *testing.B) {
			var ratios []float64
			for b.Loop() {
				var took [4]time.Duration
				for i := range took {
					which := i ^ len(ratios)%2 // 0 1 2 3, then 1 0 3 2
					took[which] = clusters[which].crowd(b, callers, n, ids(clusters[which]))
				}
				ratios = append(ratios, (took[1]+took[2]).Seconds()/(took[0]+took[3]).Seconds())
			}
			slices.Sort(ratios)
			b.ReportMetric(ratios[len(ratios)/2], "times-disthash")
		})
	}
	mixed, near := func(w *warm) []cluster.Identity { return w.mixed }, func(w *warm) []cluster.Identity { return w.near }
	turns("one at a time", 1, 500, mixed)
	turns("one at a time, all here", 1, 3000, near)
	turns("many at a time", 256, 20, mixed)
	turns("many at a time, all here", 256, 40, near)
}

// Activations of identities by one of three nodes, of which two thirds live on
// another; without leases and with.
func BenchmarkActivation(b *testing.B) {
	for name, lookup := range map[string]cluster.IdentityLookup{"disthash": disthash.New(), "partition": partition.New()} {
		b.Run(name, func(b *testing.B) {
			w := newWarm(b, lookup)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				if _, err := w.node.Locate(b.Context(), cluster.Identity{Kind: "user", Identity: fmt.Sprint("fresh", i)}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func benchmarkRequests(b *testing.B, lookup cluster.IdentityLookup) {
	b.Helper()
	w := newWarm(b, lookup)
	near, mixed := w.near, w.mixed
	request := func(b *testing.B, id cluster.Identity) {
		b.Helper()
		if _, err := w.node.Request(b.Context(), id, "hello"); err != nil {
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
			request(b, near[i%len(near)])
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
				request(b, near[i%len(near)])
			}
		})
	})
}

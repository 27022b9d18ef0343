package cluster_test

import (
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/test"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/disthash"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// One configuration, provider and lookup serve two clusters of a process, by
// the names of Proto.Actor.
func TestProtoActorSpelling(t *testing.T) {
	l := newLedger()
	synctest.Test(t, func(t *testing.T) {
		network := testkit.NewNetwork()
		provider, lookup := test.NewTestProvider(test.NewInMemAgent()), disthash.New()
		config := cluster.Configure("MyCluster", provider, lookup, remote.Configure("127.0.0.1", 0, remote.WithNetwork(network.Host("127.0.0.1")))).
			WithClusterKind("hello", actor.PropsFromFunc(l.receive))
		node := func() *cluster.Cluster {
			return cluster.New(actor.NewSystem(actor.WithLogger(slog.New(slog.DiscardHandler))), config)
		}
		one, other, client := node(), node(), node()
		for _, start := range []func() error{one.StartMember, other.StartMember, client.StartClient} {
			if err := start(); err != nil {
				t.Fatal(err)
			}
		}
		testkit.Advance(time.Second)
		id := cluster.NewClusterIdentity("hello", "user123")
		var want any
		for _, c := range []*cluster.Cluster{one, other, client} {
			got, err := c.RequestFuture(id, "where", 0).Result()
			if want == nil {
				want = got
			}
			if err != nil || got != want {
				t.Errorf("RequestFuture = %v, %v, want %v", got, err, want)
			}
			pid := c.Get("hello", "user123")
			if got, err := c.Root().RequestFuture(pid, "who", 5*time.Second).Result(); err != nil || got != "hello/user123" {
				t.Errorf("request to the PID of Get = %v, %v", got, err)
			}
			if c.Get("user123", "hello") != nil {
				t.Errorf("Get with its arguments swapped is not nil")
			}
		}
		for _, c := range []*cluster.Cluster{client, one} {
			if err := c.Shutdown(true); err != nil {
				t.Errorf("Shutdown: %v", err)
			}
		}
		if err := other.Shutdown(false); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if _, err := one.RequestFuture(id, "where", time.Second).Result(); !errors.Is(err, cluster.ErrClosed) {
			t.Errorf("RequestFuture after Shutdown = %v, want ErrClosed", err)
		}
	})
}

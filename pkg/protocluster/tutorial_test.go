package protocluster_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/automanaged"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/test"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/disthash"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/hellopb"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// The programs of the chapters, in Proto.Actor's spelling and in our own.

// greeter says hello, and where it is.
type greeter struct{}

func (*greeter) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *hellopb.HelloRequest:
		ctx.Respond(&hellopb.HelloResponse{Message: "Hello, " + msg.Name + " from " + ctx.Self().Address})
	}
}

// Two members in one process share a configuration; one asks a grain that lives
// on either.
func TestTutorial_ProtoActorSpelling_AutoManaged(t *testing.T) {
	provider := automanaged.NewWithLease(func() string { return "127.0.0.1:0" })
	config := cluster.Configure("MyCluster", provider, disthash.New(), remote.Configure("127.0.0.1", 0)).
		WithClusterKind("hello", actor.PropsFromProducer(func() actor.Actor { return &greeter{} }))

	cluster1 := cluster.New(actor.NewActorSystem(), config)
	cluster2 := cluster.New(actor.NewActorSystem(), config)
	cluster1.StartMember()
	cluster2.StartMember()
	defer cluster2.Shutdown(true)
	defer cluster1.Shutdown(true)

	future := cluster1.RequestFuture(cluster.NewClusterIdentity("hello", "user123"), &hellopb.HelloRequest{Name: "Proto"}, 3*time.Second)
	res, err := future.Result()
	if err != nil {
		t.Fatal(err)
	}
	greeted(t, res.(*hellopb.HelloResponse).Message)

	pid := cluster2.Get("hello", "user123")
	res, err = cluster2.Root().RequestFuture(pid, &hellopb.HelloRequest{Name: "Proto"}, 5*time.Second).Result()
	if err != nil {
		t.Fatal(err)
	}
	greeted(t, res.(*hellopb.HelloResponse).Message)
}

func greeted(t *testing.T, message string) {
	t.Helper()
	if want := "Hello, Proto from 127.0.0.1:"; !strings.HasPrefix(message, want) {
		t.Errorf("the grain said %q, want %q and a port", message, want)
	}
}

// The same in the library's own spelling, in a bubble: an in-memory agent knows
// the members, and a client asks.
func TestTutorial_OwnSpelling_TestProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		hello := cluster.NewKind("hello", actor.PropsFromProducer(func() actor.Actor { return &greeter{} }))
		network, agent := testkit.NewNetwork(), test.NewInMemAgent()
		node := func(host string, kinds ...cluster.Kind) *cluster.Cluster {
			return cluster.New(actor.NewSystem(), cluster.Configure("shop", test.NewTestProvider(agent), disthash.New(),
				remote.Configure(host, 8080, remote.WithNetwork(network.Host(host))), cluster.WithKinds(kinds...)))
		}
		member, client := node("10.0.0.1", hello), node("10.0.0.2")
		if err := member.Join(ctx); err != nil {
			t.Fatal(err)
		}
		if err := client.Connect(ctx); err != nil {
			t.Fatal(err)
		}
		reply, err := cluster.Request[*hellopb.HelloResponse](ctx, client, hello.ID("user123"), &hellopb.HelloRequest{Name: "Proto"})
		if err != nil {
			t.Fatal(err)
		}
		if want := "Hello, Proto from 10.0.0.1:8080"; reply.Message != want {
			t.Errorf("the grain said %q, want %q", reply.Message, want)
		}
		for _, c := range []*cluster.Cluster{client, member} {
			if err := c.Leave(context.WithoutCancel(ctx)); err != nil {
				t.Error(err)
			}
		}
	})
}

// A probe stands in for whoever talks to an actor: it asks, and expects the
// answer.
func TestTutorial_PingPongWithAProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := actor.NewActorSystem()
		defer func() { _ = system.Shutdown(context.Background()) }()
		pong := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if ctx.Message() == "ping" {
				ctx.Respond("pong")
			}
		}))
		probe := testkit.NewTestProbe()
		system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return probe }))

		probe.Request(pong, "ping")
		if got, err := testkit.GetNextMessageOf[string](probe, time.Second); err != nil || got != "pong" {
			t.Errorf("the answer to ping = %q, %v; want pong", got, err)
		}
		if err := probe.ExpectNoMessage(100 * time.Millisecond); err != nil {
			t.Error(err)
		}
	})
}

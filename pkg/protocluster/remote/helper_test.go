package remote_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// node is one node of a test.
type node struct {
	*remote.Remote
	system  *actor.System
	letters chan *actor.DeadLetter
}

// start starts a node and stops it when the test ends.
func start(t testing.TB, config *remote.Config) *node {
	t.Helper()
	n := prepare(t, config)
	if err := n.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return n
}

// prepare makes a node that has not been started.
func prepare(t testing.TB, config *remote.Config) *node {
	t.Helper()
	system := actor.NewSystem(actor.WithLogger(slog.New(slog.DiscardHandler)))
	n := &node{remote.New(system, config), system, make(chan *actor.DeadLetter, 10_000)}
	system.Events().Subscribe(func(event any) {
		if d, ok := event.(*actor.DeadLetter); ok {
			select {
			case n.letters <- d:
			default:
			}
		}
	})
	t.Cleanup(func() { n.end(t) })
	return n
}

func (n *node) end(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	_ = n.Stop(ctx)
	if err := n.system.Shutdown(ctx); err != nil {
		t.Error(err)
	}
}

// spawn starts an actor with that name and handler.
func (n *node) spawn(t testing.TB, name string, f func(actor.Context)) *actor.PID {
	t.Helper()
	pid, err := n.system.SpawnNamed(actor.PropsFromFunc(f), name)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// echo starts an actor that answers with what it gets.
func (n *node) echo(t testing.TB, name string) *actor.PID {
	t.Helper()
	return n.spawn(t, name, func(ctx actor.Context) {
		if ctx.Sender() != nil {
			ctx.Respond(ctx.Message())
		}
	})
}

// ask asks with the time that a test gives a reply.
func (n *node) ask(t testing.TB, to *actor.PID, message any, timeout time.Duration) (any, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	return n.system.Ask(ctx, to, message)
}

// at is the PID of an actor of n as other nodes write it.
func (n *node) at(id string) *actor.PID { return actor.NewPID(n.Address(), id) }

// bubble runs f on a network in a bubble, whose links take a millisecond.
func bubble(t *testing.T, f func(t *testing.T, n *testkit.Network)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := testkit.NewNetwork()
		n.Shape(testkit.Link{Latency: time.Millisecond})
		f(t, n)
	})
}

// on is the configuration of a node on a host of n.
func on(n *testkit.Network, host string, opts ...remote.Option) *remote.Config {
	return remote.Configure(host, 0, append(opts, remote.WithNetwork(n.Host(host)))...)
}

package remote_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

func TestWatch(t *testing.T) {
	evicted := errors.New("evicted")
	stop := func(a, b *node, n *testkit.Network) { b.system.Stop(b.at("x")) }
	for _, row := range []struct {
		name  string
		event func(a, b *node, n *testkit.Network)
		want  error         // the reason
		after time.Duration // at most
		times int
	}{
		{"actor stops", stop, nil, 10 * time.Millisecond, 1},
		{"actor stops while the link is down", func(a, b *node, n *testkit.Network) {
			n.Partition("a", "b")
			n.Reset("a", "b")
			testkit.Advance(time.Second)
			stop(a, b, n)
			testkit.Advance(time.Second)
			n.HealAll()
		}, actor.ErrNoActor, 2 * time.Second, 1},
		{"a short break", func(a, b *node, n *testkit.Network) { n.Reset("a", "b") }, nil, 0, 0},
		{"node is killed", func(a, b *node, n *testkit.Network) { n.Kill("b") }, remote.ErrUnreachable, 6 * time.Second, 1},
		{"node crashes", func(a, b *node, n *testkit.Network) { n.Crash("b") }, remote.ErrUnreachable, 7 * time.Second, 1},
		{"node leaves", func(a, b *node, n *testkit.Network) { _ = b.Stop(context.Background()) }, actor.ErrStopped, 10 * time.Millisecond, 1},
		{"node is disconnected", func(a, b *node, n *testkit.Network) {
			a.Disconnect(b.Address(), b.system.ID(), evicted)
		}, evicted, 0, 1},
		{"another system is disconnected", func(a, b *node, n *testkit.Network) {
			a.Disconnect(b.Address(), "before", errors.New("evicted"))
		}, nil, 0, 0},
		{"this node stops", func(a, b *node, n *testkit.Network) { _ = a.Stop(context.Background()) }, actor.ErrStopped, 10 * time.Millisecond, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, n *testkit.Network) {
				a, b := start(t, on(n, "a")), start(t, on(n, "b"))
				b.echo(t, "x")
				var got []*actor.Terminated
				a.spawn(t, "watcher", func(ctx actor.Context) {
					switch m := ctx.Message().(type) {
					case *actor.Started:
						ctx.Watch(b.at("x"))
					case *actor.Terminated:
						got = append(got, m)
					}
				})
				testkit.Advance(time.Second)
				if len(got) != 0 {
					t.Fatalf("got %v before anything happened", got[0])
				}
				row.event(a, b, n)
				testkit.Advance(row.after)
				if len(got) != row.times {
					t.Fatalf("told %d times within %v, want %d", len(got), row.after, row.times)
				}
				if row.times > 0 && (got[0].Who.ID != "x" || got[0].Who.Address != b.Address() || !errors.Is(got[0].Reason, row.want)) {
					t.Errorf("got %v because of %v, want x because of %v", got[0].Who, got[0].Reason, row.want)
				}
				testkit.Advance(time.Minute)
				if len(got) != row.times {
					t.Errorf("told %d times in the end, want %d", len(got), row.times)
				}
			})
		})
	}
}

func TestWatchOfAnActorThatIsNot(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		a, b := start(t, on(n, "a")), start(t, on(n, "b"))
		for to, want := range map[*actor.PID]error{
			b.at("nobody"):                    actor.ErrNoActor,
			actor.NewPID("client-x", "y"):     remote.ErrUnreachable,
			b.at("\xff"):                      remote.ErrMalformed,
			actor.NewPID("nowhere:1", "none"): remote.ErrUnreachable,
		} {
			got := make(chan error, 1)
			a.spawn(t, "", func(ctx actor.Context) {
				switch m := ctx.Message().(type) {
				case *actor.Started:
					ctx.Watch(to)
				case *actor.Terminated:
					got <- m.Reason
				}
			})
			if err := <-got; !errors.Is(err, want) {
				t.Errorf("%v: told %v, want %v", to, err, want)
			}
		}
	})
}

func TestUnwatch(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		a, b := start(t, on(n, "a")), start(t, on(n, "b"))
		b.echo(t, "x")
		told := false
		w := a.spawn(t, "watcher", func(ctx actor.Context) {
			switch ctx.Message().(type) {
			case *actor.Started:
				ctx.Watch(b.at("x"))
			case string:
				ctx.Unwatch(b.at("x"))
			case *actor.Terminated:
				told = true
			}
		})
		testkit.Advance(time.Second)
		a.system.Send(w, "enough")
		testkit.Advance(time.Second)
		n.Reset("a", "b") // the next session must not begin the watch again
		testkit.Advance(time.Second)
		b.system.Stop(b.at("x"))
		testkit.Advance(time.Second)
		if told {
			t.Error("told of the end of an actor that is not watched any more")
		}
		if got := a.Rejected(); len(got) != 0 {
			t.Errorf("refused %v, want nothing", got)
		}
	})
}

package remote_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// Replies of all sizes come back, whichever lane they take.
func TestRepliesOfAllSizes(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		a, b := start(t, on(n, "a")), start(t, on(n, "b"))
		b.spawn(t, "sizes", func(ctx actor.Context) {
			if size, ok := ctx.Message().(int); ok {
				ctx.Respond(make([]byte, size))
			}
		})
		futures := map[int]*actor.Future{}
		for size := 1; size <= 2<<20; size *= 8 {
			futures[size] = a.system.RequestFuture(b.at("sizes"), size, 10*time.Second)
		}
		for size, f := range futures {
			reply, err := f.Result()
			if got, _ := reply.([]byte); err != nil || len(got) != size {
				t.Errorf("asked for %d bytes, got %d, %v", size, len(got), err)
			}
		}
	})
}

// mute is a network on which nobody can be dialled.
type mute struct{ remote.Network }

func (mute) Dial(context.Context, string) (net.Conn, error) { return nil, errors.New("muted") }

// A reply goes back over the connection of its request.
func TestRepliesNeedNoConnectionOfTheirOwn(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		a, b := start(t, on(n, "a")), start(t, on(n, "b", remote.WithNetwork(mute{n.Host("b")})))
		b.echo(t, "echo")
		for i := range 3 {
			if got, err := a.ask(t, b.at("echo"), i, time.Second); got != i || err != nil {
				t.Errorf("got %v, %v, want %d", got, err, i)
			}
			n.Reset("a", "b")
			testkit.Advance(time.Second)
		}
	})
}

// A node that leaves has sent its replies before it says goodbye.
func TestRepliesOfALeavingNode(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		a, b := start(t, on(n, "a")), start(t, on(n, "b"))
		const count = 2000
		all, handled := make(chan struct{}), 0
		b.spawn(t, "echo", func(ctx actor.Context) {
			if size, ok := ctx.Message().(int); ok {
				ctx.Respond(make([]byte, size))
				if handled++; handled == count {
					close(all)
				}
			}
		})
		var futures []*actor.Future
		for range count {
			futures = append(futures, a.system.RequestFuture(b.at("echo"), 2000, 10*time.Second))
		}
		<-all
		if err := b.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		for i, f := range futures {
			if reply, err := f.Result(); err != nil || len(reply.([]byte)) != 2000 {
				t.Fatalf("reply %d: %v", i, err)
			}
		}
	})
}

// Without the connection, the asker does not know the outcome, and the reply is
// a dead letter.
func TestReplyAfterTheConnectionEnded(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		a, b := start(t, on(n, "a")), start(t, on(n, "b"))
		asked := make(chan actor.Context, 1)
		b.spawn(t, "slow", func(ctx actor.Context) {
			if ctx.Message() == "question" {
				asked <- ctx
				<-time.After(time.Minute)
				ctx.Respond("answer")
			}
		})
		f := a.system.RequestFuture(b.at("slow"), "question", time.Hour)
		<-asked
		n.Partition("a", "b")
		if _, err := f.Result(); !errors.Is(err, actor.ErrUnknownOutcome) {
			t.Errorf("got %v, want ErrUnknownOutcome", err)
		}
		testkit.Advance(2 * time.Minute)
		n.HealAll()
		select {
		case letter := <-b.letters:
			if letter.Message != "answer" || !errors.Is(letter.Reason, remote.ErrUnreachable) {
				t.Errorf("dead letter %+v, want the answer and ErrUnreachable", letter)
			}
		default:
			t.Error("the answer is no dead letter")
		}
	})
}

package remote_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

func TestAskTakesOneRoundTrip(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		a, b := start(t, on(n, "a")), start(t, on(n, "b"))
		b.echo(t, "echo")
		for _, message := range []any{1, "two", wrapperspb.String("three")} { // the first one connects
			begin := time.Now()
			got, err := a.ask(t, b.at("echo"), message, time.Second)
			if err != nil || fmt.Sprint(got) != fmt.Sprint(message) {
				t.Fatalf("got %v, %v, want %v", got, err, message)
			}
			if took := time.Since(begin); message != 1 && took != 2*time.Millisecond {
				t.Errorf("%v took %v, want one round trip of 2ms", message, took)
			}
		}
	})
}

func TestMetaTravels(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		n.Shape(testkit.Link{Latency: 10 * time.Millisecond})
		a, b := start(t, on(n, "a")), start(t, on(n, "b"))
		type seen struct {
			header   string
			deadline time.Duration
		}
		got := make(chan seen, 1)
		b.spawn(t, "x", func(ctx actor.Context) {
			if _, ok := ctx.Message().(string); ok {
				d, _ := ctx.Deadline()
				got <- seen{ctx.Header("trace"), time.Until(d)}
			}
		})
		a.system.Send(b.at("x"), 0) // connects
		testkit.Advance(time.Second)
		err := a.system.SendEnvelope(b.at("x"), actor.Envelope{Message: "hi", Meta: &actor.Meta{
			Deadline: time.Now().Add(3 * time.Second), Header: map[string]string{"trace": "42", "other": ""}}})
		if err != nil {
			t.Fatal(err)
		}
		// What remains is counted from when the message left.
		if got, want := <-got, (seen{"42", 3 * time.Second}); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestRepliesThatAreErrors(t *testing.T) {
	app := errors.New("out of stock")
	for _, row := range []struct {
		name  string
		reply func(ctx actor.Context)
		check func(err error) bool
		text  string
	}{
		{"application", func(ctx actor.Context) { ctx.Respond(app) }, func(err error) bool {
			_, ok := errors.AsType[*actor.ReplyError](err)
			return ok && !errors.Is(err, actor.ErrNotDelivered)
		}, "out of stock"},
		{"sentinel", func(ctx actor.Context) { ctx.Respond(fmt.Errorf("no luck: %w", actor.ErrNameTaken)) }, func(err error) bool {
			return errors.Is(err, actor.ErrNameTaken)
		}, "no luck: actor: name taken"},
		{"executed, its own request was not", func(ctx actor.Context) { ctx.Respond(actor.ErrNoActor) }, func(err error) bool {
			return !errors.Is(err, actor.ErrNotDelivered)
		}, actor.ErrNoActor.Error()},
		{"rejected", func(ctx actor.Context) {
			ctx.Respond(&actor.RejectedError{Reason: actor.ErrMailboxFull, RetryAfter: time.Second})
		}, func(err error) bool {
			r, ok := errors.AsType[*actor.RejectedError](err)
			return ok && r.RetryAfter == time.Second && errors.Is(err, actor.ErrMailboxFull) && errors.Is(err, actor.ErrNotDelivered)
		}, "actor: not delivered: mailbox full; retry after 1s"},
		{"panic", func(actor.Context) { panic("boom \xff") }, func(err error) bool {
			p, ok := errors.AsType[*actor.PanicError](err)
			return ok && p.Stack == ""
		}, "actor: handler panicked: boom \uFFFD"},
	} {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, n *testkit.Network) {
				a, b := start(t, on(n, "a")), start(t, on(n, "b"))
				b.spawn(t, "x", func(ctx actor.Context) {
					if _, ok := ctx.Message().(string); ok {
						row.reply(ctx)
					}
				})
				_, err := a.ask(t, b.at("x"), "hi", time.Second)
				if err == nil || err.Error() != row.text || !row.check(err) {
					t.Errorf("got %v, want %q of the right kind", err, row.text)
				}
			})
		})
	}
}

type unregistered struct{ N int }

type gate struct{}

func (gate) MarshalJSON() ([]byte, error) { return nil, errors.New("the gate is shut") }

func TestRefusedAtTheSender(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		a, b := start(t, on(n, "a", remote.WithTypes(gate{}))), start(t, on(n, "b"))
		b.echo(t, "echo")
		for _, row := range []struct {
			name    string
			to      *actor.PID
			message any
			class   error
			text    string
		}{
			{"type", b.at("echo"), unregistered{}, remote.ErrUnknownType, "remote.WithTypes(remote_test.unregistered{})"},
			{"pointer type", b.at("echo"), &unregistered{}, remote.ErrUnknownType, "remote.WithTypes(&remote_test.unregistered{})"},
			{"nil", b.at("echo"), nil, remote.ErrUnknownType, "nil cannot be sent"},
			{"size", b.at("echo"), make([]byte, 5<<20), remote.ErrTooLarge, "a bytes of 52429"},
			{"no encoding", b.at("echo"), gate{}, remote.ErrMalformed, "the gate is shut"},
			{"invalid text", b.at("echo"), wrapperspb.String("\xff"), remote.ErrMalformed, "invalid UTF-8"},
			{"invalid id", b.at("\xff"), 1, remote.ErrMalformed, "valid UTF-8"},
			{"client elsewhere", actor.NewPID("client-x", "y"), 1, remote.ErrUnreachable, "not connected to this node"},
		} {
			begin := time.Now()
			_, err := a.ask(t, row.to, row.message, time.Minute)
			if !errors.Is(err, row.class) || !errors.Is(err, actor.ErrNotDelivered) || !strings.Contains(err.Error(), row.text) {
				t.Errorf("%s: got %v, want %v naming %q", row.name, err, row.class, row.text)
			}
			if time.Since(begin) != 0 {
				t.Errorf("%s: refused after %v, want at once", row.name, time.Since(begin))
			}
			if err := a.system.TrySend(row.to, row.message); !errors.Is(err, row.class) {
				t.Errorf("%s: TrySend = %v, want %v", row.name, err, row.class)
			}
		}
	})
}

// A message that the other node does not take comes back to its sender, and the
// stream goes on.
func TestBounce(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		a := start(t, on(n, "a", remote.WithTypes(unregistered{})))
		b := start(t, on(n, "b", remote.WithMaxMessageBytes(64<<10)))
		b.echo(t, "echo")
		release := make(chan struct{})
		defer close(release)
		full, err := b.system.SpawnNamed(actor.PropsFromFunc(func(ctx actor.Context) { <-release }, actor.WithMailboxLimit(1)), "full")
		if err != nil {
			t.Fatal(err)
		}
		for b.system.TrySend(full, 1) == nil {
			synctest.Wait()
		}
		for _, row := range []struct {
			name    string
			to      string
			message any
			class   error
			text    string
			reason  string
		}{
			{"no actor", "nobody", 1, actor.ErrNoActor, "no such actor", "no actor"},
			{"mailbox full", "full", 1, actor.ErrMailboxFull, "mailbox full", "mailbox full"},
			{"unknown type", "echo", unregistered{1}, remote.ErrUnknownType, "remote_test.unregistered", "unknown type"},
			{"too deep", "echo", nested(101), remote.ErrMalformed, "recursion", "malformed"},
			{"too large there", "echo", make([]byte, 100_000), remote.ErrTooLarge, "raise WithMaxMessageBytes there", ""},
			{"no id", "", 1, remote.ErrMalformed, "names nothing", "malformed"},
		} {
			begin, before := time.Now(), b.Rejected()[row.reason]
			_, err := a.ask(t, b.at(row.to), row.message, time.Minute)
			if !errors.Is(err, row.class) || !errors.Is(err, actor.ErrNotDelivered) || !strings.Contains(err.Error(), row.text) {
				t.Errorf("%s: got %v, want %v naming %q", row.name, err, row.class, row.text)
			}
			if took := time.Since(begin); took > 20*time.Millisecond {
				t.Errorf("%s: bounced after %v, want at once", row.name, took)
			}
			if got := b.Rejected()[row.reason]; row.reason != "" && got != before+1 {
				t.Errorf("%s: counted %d, want %d", row.name, got-before, 1)
			}
			a.system.Send(b.at(row.to), row.message)
			testkit.Advance(20 * time.Millisecond)
			select {
			case d := <-a.letters:
				if !errors.Is(d.Reason, row.class) || d.To.ID != row.to || d.To.Address != b.Address() {
					t.Errorf("%s: got dead letter to %v because of %v, want %v", row.name, d.To, d.Reason, row.class)
				}
			default:
				t.Errorf("%s: a tell that bounced made no dead letter", row.name)
			}
			if got, err := a.ask(t, b.at("echo"), "still here", time.Second); err != nil {
				t.Errorf("%s: afterwards got %v, %v, want an echo", row.name, got, err)
			}
		}
		if got := n.Dials(testkit.Route{From: "a", To: "b"}); got != 1 {
			t.Errorf("%d connections, want 1: bad messages end none", got)
		}
	})
}

// nested is a message of that many messages in each other.
func nested(depth int) *structpb.Value {
	v := structpb.NewBoolValue(true)
	for range depth / 2 {
		v = structpb.NewListValue(&structpb.ListValue{Values: []*structpb.Value{v}})
	}
	return v
}

func TestNestingLimit(t *testing.T) {
	types, err := remote.NewTypes()
	if err != nil {
		t.Fatal(err)
	}
	for depth, want := range map[int]error{90: nil, 110: remote.ErrMalformed, 20_000: remote.ErrMalformed} {
		name, payload, err := types.Encode(nested(depth))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := types.Decode(name, payload); !errors.Is(err, want) {
			t.Errorf("depth %d: got %v, want %v", depth, err, want)
		}
	}
}

func TestStopAndPoison(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		a, b := start(t, on(n, "a")), start(t, on(n, "b"))
		for _, end := range []func(ctx context.Context, pid *actor.PID) error{a.system.StopAndWait, a.system.PoisonAndWait} {
			var got []any
			b.spawn(t, "x", func(ctx actor.Context) { got = append(got, ctx.Message()) })
			a.system.Send(b.at("x"), 1)
			testkit.Advance(time.Second)
			if err := end(t.Context(), b.at("x")); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if want := []any{&actor.Started{}, 1, &actor.Stopping{}, &actor.Stopped{}}; !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		}
	})
}

func TestForwardAcrossThreeNodes(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		a, b, c := start(t, on(n, "a")), start(t, on(n, "b")), start(t, on(n, "c"))
		c.echo(t, "echo")
		b.spawn(t, "way", func(ctx actor.Context) {
			if _, ok := ctx.Message().(string); ok {
				ctx.Forward(c.at("echo"))
			}
		})
		if got, err := a.ask(t, b.at("way"), "hi", time.Second); got != "hi" || err != nil {
			t.Errorf("got %v, %v, want hi", got, err)
		}
		if got := n.Dials(testkit.Route{From: "c", To: "a"}); got != 0 {
			t.Errorf("c dialled a %d times, want 0: the address was in a message only", got)
		}
	})
}

func TestSpawn(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		props := actor.PropsFromFunc(func(ctx actor.Context) {
			if ctx.Sender() != nil {
				ctx.Respond(ctx.Self().ID)
			}
		})
		a, b := start(t, on(n, "a")), start(t, on(n, "b", remote.WithKinds(map[string]*actor.Props{"hello": props})))
		for _, row := range []struct {
			at   remote.Instance
			want error
			text string
		}{
			{remote.Instance{Address: b.Address(), Kind: "hello", Name: "x/y"}, nil, ""},
			{remote.Instance{Address: b.Address(), Kind: "hello"}, nil, ""},
			{remote.Instance{Address: b.Address(), Kind: "hello", Name: "x/y"}, actor.ErrNameTaken, `"x/y"`},
			{remote.Instance{Address: b.Address(), Kind: "secret"}, remote.ErrForbidden, `it has ["hello"], add it there with WithKinds`},
			{remote.Instance{Address: a.Address(), Kind: "hello"}, remote.ErrForbidden, "it has []"},
		} {
			pid, err := a.Spawn(t.Context(), row.at)
			if !errors.Is(err, row.want) || err != nil && !strings.Contains(err.Error(), row.text) {
				t.Errorf("%v: got %v, want %v naming %s", row.at, err, row.want, row.text)
			}
			if err != nil {
				continue
			}
			if got, err := a.ask(t, pid, 1, time.Second); got != pid.ID || err != nil {
				t.Errorf("%v answered %v, %v, want its id", pid, got, err)
			}
		}
	})
}

func TestStartStop(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		for range 50 {
			a, b := prepare(t, on(n, "a")), prepare(t, on(n, "b"))
			for _, n := range []*node{a, b} {
				if err := n.Start(t.Context()); err != nil {
					t.Fatal(err)
				}
				if err := n.Start(t.Context()); err == nil {
					t.Error("a second Start succeeded, want an error")
				}
			}
			b.echo(t, "echo")
			if _, err := a.ask(t, b.at("echo"), 1, time.Second); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := errors.Join(a.Stop(t.Context()), b.Stop(t.Context())); err != nil {
					t.Error(err)
				}
			}
			if err := a.system.TrySend(b.at("echo"), 1); !errors.Is(err, actor.ErrStopped) {
				t.Errorf("after Stop a message gets %v, want ErrStopped", err)
			}
		}
		if err := prepare(t, on(n, "a")).Stop(t.Context()); err != nil {
			t.Errorf("Stop before Start: %v", err)
		}
	})
}

// What a node was given before Stop arrives, if its peer is connected.
func TestStopSendsWhatWaits(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		a, b := start(t, on(n, "a")), start(t, on(n, "b"))
		client := start(t, on(n, "c", remote.WithoutListener()))
		const count = 5000
		var received [2]int
		for i, n := range []*node{b, client} {
			n.spawn(t, "sink", func(ctx actor.Context) {
				if _, ok := ctx.Message().(int); ok {
					received[i]++
				}
			})
		}
		a.echo(t, "echo")
		if _, err := client.ask(t, a.at("echo"), "hello", time.Second); err != nil { // or a could not send to it
			t.Fatal(err)
		}
		for i := range count {
			a.system.Send(b.at("sink"), i)
			a.system.Send(client.at("sink"), i)
		}
		if err := a.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if want := [2]int{count, count}; received != want {
			t.Errorf("%v messages arrived, want %v", received, want)
		}
	})
}

// A peer that takes nothing any more does not keep Stop from ending.
func TestStopEnds(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		a, b := start(t, on(n, "a")), start(t, on(n, "b"))
		b.echo(t, "echo")
		if _, err := a.ask(t, b.at("echo"), 1, time.Second); err != nil {
			t.Fatal(err)
		}
		n.Partition("a", "b")
		for range 100 {
			a.system.Send(b.at("echo"), make([]byte, 100_000))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		if err := a.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the end of ctx", err)
		}
		// gRPC waits five seconds for a writer that is stuck.
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("Stop took %v", took)
		}
	})
}

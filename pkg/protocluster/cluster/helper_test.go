package cluster_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// ledger notes what virtual actors of all nodes of a test do.
type ledger struct {
	mu      sync.Mutex
	started map[string]int // by identity
	running map[string]int
	most    map[string]int // at one time
	handled map[any]int    // by message
	order   []any
}

func newLedger() *ledger {
	return &ledger{started: map[string]int{}, running: map[string]int{}, most: map[string]int{}, handled: map[any]int{}}
}

func (l *ledger) note(f func(l *ledger)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(l)
}

func (l *ledger) count(message any) (n int) {
	l.note(func(l *ledger) { n = l.handled[message] })
	return n
}

func (l *ledger) starts(id cluster.Identity) (n int) {
	l.note(func(l *ledger) { n = l.started[id.String()] })
	return n
}

// receive answers "where" with its address, "who" with its identity, "fail"
// with an error, "panic" not at all, "stop" by stopping, and echoes other
// messages after it has counted them.
func (l *ledger) receive(ctx actor.Context) {
	id, _ := cluster.IdentityOf(ctx)
	switch m := ctx.Message().(type) {
	case *actor.Started:
		l.note(func(l *ledger) {
			l.started[id.String()]++
			l.running[id.String()]++
			l.most[id.String()] = max(l.most[id.String()], l.running[id.String()])
		})
	case *actor.Stopped:
		l.note(func(l *ledger) { l.running[id.String()]-- })
	case *actor.Stopping, *actor.Restarting, *actor.Terminated:
	case *actor.ReceiveTimeout:
		ctx.Stop(ctx.Self())
	default:
		l.note(func(l *ledger) { l.handled[m]++; l.order = append(l.order, m) })
		l.reply(ctx, id, m)
	}
}

var errGrain = errors.New("the account is empty")

func (l *ledger) reply(ctx actor.Context, id cluster.Identity, m any) {
	switch m {
	case "where":
		ctx.Respond(ctx.Self().Address)
	case "who":
		ctx.Respond(id.String())
	case "fail":
		ctx.Respond(errGrain)
	case "panic":
		panic("out of order")
	case "stop":
		ctx.Stop(ctx.Self())
		ctx.Respond("stopping")
	case "sleep":
		ctx.SetReceiveTimeout(time.Minute)
		ctx.Respond("asleep in a minute")
	default:
		if ctx.Sender() != nil {
			ctx.Respond(m)
		}
	}
}

// kind is a kind whose actors note what they do.
func (l *ledger) kind(name string, opts ...cluster.KindOption) cluster.Kind {
	return cluster.NewKind(name, actor.PropsFromFunc(l.receive), opts...)
}

func user(name string) cluster.Identity { return cluster.Identity{Kind: "user", Identity: name} }

// ask requests with a deadline of a minute and fails the test on an error.
func ask(t testing.TB, n *testkit.Node, id cluster.Identity, message any) any {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	reply, err := n.Request(ctx, id, message)
	if err != nil {
		t.Fatalf("Request(%s, %v): %v", id, message, err)
	}
	return reply
}

func within(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

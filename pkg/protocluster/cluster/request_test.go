package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

func TestRequest_ReachesOneActivationFromEverywhere(t *testing.T) {
	l := newLedger()
	testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
		homes := make(map[any]int)
		for i := range 30 {
			id := user(fmt.Sprint(i))
			home := ask(t, c.Node(0), id, "where")
			for _, n := range c.Nodes() {
				if got := ask(t, n, id, "where"); got != home {
					t.Errorf("%s lives at %v, want %v", id, got, home)
				}
			}
			if got, want := ask(t, c.Node(1), id, "who"), id.String(); got != want {
				t.Errorf("IdentityOf = %v, want %v", got, want)
			}
			if l.starts(id) != 1 {
				t.Errorf("%s was started %d times, want once", id, l.starts(id))
			}
			homes[home]++
		}
		if len(homes) != 3 {
			t.Errorf("30 identities live on %v, want on three members", homes)
		}
	}, testkit.WithKinds(l.kind("user")))
}

// local and far return an identity that lives on node 0 and one that does not.
func local(t testing.TB, c *testkit.Cluster) (local, far cluster.Identity) {
	t.Helper()
	for i := range 100 {
		id := user(fmt.Sprint("probe-", i))
		switch {
		case c.NodeOf(c.Node(0), id) != 0:
			far = id
		default:
			local = id
		}
		if local.Identity != "" && far.Identity != "" {
			return local, far
		}
	}
	t.Fatal("100 identities live on one node")
	return local, far
}

func TestRequest_Outcomes(t *testing.T) {
	type outcome struct {
		name    string
		request func(ctx context.Context, n *testkit.Node, id cluster.Identity) error
		is, not []error
		text    string
		own     bool // the grain's own error, not wrapped
	}
	slow := func(ctx context.Context, n *testkit.Node, id cluster.Identity) error {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		_, err := n.Request(ctx, id, "slow")
		return err
	}
	rows := []outcome{
		{"no reply before the deadline", slow, []error{actor.ErrUnknownOutcome, context.DeadlineExceeded}, []error{actor.ErrNotDelivered}, "(at 1s)", false},
		{"no deadline: five seconds", func(ctx context.Context, n *testkit.Node, id cluster.Identity) error {
			begin := time.Now()
			_, err := n.Request(ctx, id, "slow")
			if took := time.Since(begin); took != 5*time.Second {
				err = fmt.Errorf("it took %v", took)
			}
			return err
		}, []error{actor.ErrUnknownOutcome, context.DeadlineExceeded}, nil, "", false},
		{"caller gives up", func(ctx context.Context, n *testkit.Node, id cluster.Identity) error {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(time.Second, cancel)
			_, err := n.Request(ctx, id, "slow")
			return err
		}, []error{actor.ErrUnknownOutcome, context.Canceled}, []error{context.DeadlineExceeded}, "", false},
		{"own error", func(ctx context.Context, n *testkit.Node, id cluster.Identity) error {
			_, err := n.Request(ctx, id, "fail")
			return err
		}, nil, []error{actor.ErrNotDelivered, actor.ErrUnknownOutcome}, "the account is empty", true},
		{"own error about another message", func(ctx context.Context, n *testkit.Node, id cluster.Identity) error {
			_, err := n.Request(ctx, id, "fail not delivered")
			return err
		}, nil, []error{actor.ErrNotDelivered}, "not delivered", true},
		{"panic", func(ctx context.Context, n *testkit.Node, id cluster.Identity) error {
			_, err := n.Request(ctx, id, "panic")
			if _, ok := errors.AsType[*actor.PanicError](err); !ok {
				return fmt.Errorf("%w is no PanicError", err)
			}
			return err
		}, nil, []error{actor.ErrNotDelivered}, "out of order", true},
		{"reply of another type", func(ctx context.Context, n *testkit.Node, id cluster.Identity) error {
			_, err := cluster.Request[int64](ctx, n.Cluster, id, "where")
			return err
		}, nil, nil, "replied to string with string, want int64", true},
		{"message that cannot be sent", func(ctx context.Context, n *testkit.Node, id cluster.Identity) error {
			_, err := n.Request(ctx, id, struct{ private int }{1})
			if err == nil { // it stays on the node
				err = &cluster.RequestError{Err: errors.New("struct")}
			}
			return err
		}, nil, nil, "struct", false},
	}
	l := newLedger()
	props := actor.PropsFromFunc(func(ctx actor.Context) {
		switch ctx.Message() {
		case "slow":
		case "fail not delivered":
			ctx.Respond(fmt.Errorf("nested: %w", actor.ErrNotDelivered))
		default:
			l.receive(ctx)
		}
	})
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			testkit.Run(t, 2, func(t *testing.T, c *testkit.Cluster) {
				near, far := local(t, c)
				for _, id := range []cluster.Identity{near, far} {
					before := c.Node(0).Stats().Retries
					err := row.request(t.Context(), c.Node(0), id)
					if err == nil || !strings.Contains(err.Error(), row.text) {
						t.Errorf("error = %v, want one with %q", err, row.text)
					}
					for _, want := range row.is {
						if !errors.Is(err, want) {
							t.Errorf("error %v is no %v", err, want)
						}
					}
					for _, not := range row.not {
						if errors.Is(err, not) {
							t.Errorf("error %v is a %v", err, not)
						}
					}
					if _, wrapped := errors.AsType[*cluster.RequestError](err); wrapped == row.own {
						t.Errorf("error %v is a RequestError: %v, want %v", err, wrapped, !row.own)
					}
					if got := c.Node(0).Stats().Retries - before; got != 0 {
						t.Errorf("%d retries, want none", got)
					}
				}
			}, testkit.WithKinds(cluster.NewKind("user", props)))
		})
	}
}

func TestRequest_TypedReply(t *testing.T) {
	l := newLedger()
	testkit.Run(t, 2, func(t *testing.T, c *testkit.Cluster) {
		near, far := local(t, c)
		for _, id := range []cluster.Identity{near, far} {
			got, err := cluster.Request[string](t.Context(), c.Node(0).Cluster, id, "who")
			if err != nil || got != id.String() {
				t.Errorf("Request[string] = %q, %v, want %q", got, err, id)
			}
			if got, err := cluster.Request[any](t.Context(), c.Node(0).Cluster, id, "who"); err != nil || got != id.String() {
				t.Errorf("Request[any] = %v, %v, want %q", got, err, id)
			}
		}
	}, testkit.WithKinds(l.kind("user")))
}

func TestRequest_NobodyHostsTheKind(t *testing.T) {
	l := newLedger()
	testkit.Run(t, 2, func(t *testing.T, c *testkit.Cluster) {
		for _, row := range []struct {
			name string
			id   cluster.Identity
			most time.Duration
			want string
		}{
			{"unknown kind", cluster.Identity{Kind: "cart", Identity: "42"}, 1500 * time.Millisecond, "none of 2 members hosts kind \"cart\"; add it with WithKinds"},
			{"swapped", cluster.Identity{Kind: "42", Identity: "user"}, 0, "arguments swapped?"},
		} {
			begin := time.Now()
			_, err := c.Node(0).Request(t.Context(), row.id, "x")
			if nobody, ok := errors.AsType[*cluster.NoHostError](err); !ok || nobody.ID != row.id {
				t.Errorf("%s: error = %v, want a NoHostError", row.name, err)
			}
			wantFault(t, err, row.want)
			if took := time.Since(begin); took > row.most {
				t.Errorf("%s: it took %v, want %v at most", row.name, took, row.most)
			}
		}
	}, testkit.WithKinds(l.kind("user")))
}

func TestRequest_WaitsForAHostThatJoins(t *testing.T) {
	l := newLedger()
	testkit.Run(t, 2, func(t *testing.T, c *testkit.Cluster) {
		time.AfterFunc(500*time.Millisecond, func() { go c.Add(cluster.WithKinds(l.kind("cart"))) })
		got := ask(t, c.Node(0), cluster.Identity{Kind: "cart", Identity: "42"}, "where")
		if got != testkit.NodeAddress(2) {
			t.Errorf("the cart lives at %v, want %s", got, testkit.NodeAddress(2))
		}
	})
}

// Who hosts the identity is cut off; the provider goes on to see it.
func TestRequest_TellsWhoWasTried(t *testing.T) {
	l := newLedger()
	testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
		fresh := user("fresh")
		for i := 0; c.NodeOf(c.Node(1), fresh) != 1; i++ {
			fresh = user(fmt.Sprint("fresh-", i))
		}
		c.Partition(0, 1)
		testkit.Advance(10 * time.Second)
		begin := time.Now()
		_, err := c.Node(0).Request(within(t, 8*time.Second), fresh, "x")
		failed, ok := errors.AsType[*cluster.RequestError](err)
		if !ok || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, actor.ErrNotDelivered) {
			t.Fatalf("error = %v, want a RequestError at the deadline that says that nothing was executed", err)
		}
		if took := time.Since(begin); took != 8*time.Second {
			t.Errorf("it took %v, want all of 8s", took)
		}
		id := c.Node(1).System().ID()
		if !slices.ContainsFunc(failed.Attempts, func(a cluster.Attempt) bool { return a.Member == id && a.Address == testkit.NodeAddress(1) }) {
			t.Errorf("attempts = %+v, want one at %s", failed.Attempts, testkit.NodeAddress(1))
		}
		if failed.Tries < 2 || len(failed.Attempts) > 16 || failed.ID != fresh {
			t.Errorf("%d tries with %d attempts, want several tries and 16 attempts at most", failed.Tries, len(failed.Attempts))
		}
		wantFault(t, err, "at "+testkit.NodeAddress(1))
		c.Heal(0, 1)
		testkit.Advance(5 * time.Second)
		if got := ask(t, c.Node(0), fresh, "where"); got != testkit.NodeAddress(1) {
			t.Errorf("after the heal it lives at %v, want %s", got, testkit.NodeAddress(1))
		}
	}, testkit.WithKinds(l.kind("user")))
}

// What was definitely not executed is tried again, and what may have been is
// not, unless the call allows it.
func TestRequest_RetriesByOutcome(t *testing.T) {
	var l *ledger
	var refuse atomic.Int64
	kind := cluster.NewKind("user", actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(string); ok && refuse.Add(-1) >= 0 {
			ctx.Respond(&actor.RejectedError{Reason: actor.ErrMailboxFull, RetryAfter: time.Second})
			return
		}
		l.receive(ctx)
	}))
	t.Run("rejected", func(t *testing.T) {
		l = newLedger()
		testkit.Run(t, 2, func(t *testing.T, c *testkit.Cluster) {
			near, far := local(t, c)
			for _, id := range []cluster.Identity{near, far} {
				refuse.Store(2)
				begin := time.Now()
				if got := ask(t, c.Node(0), id, "who"); got != id.String() {
					t.Errorf("reply = %v, want %v", got, id)
				}
				if took := time.Since(begin); took < 2*time.Second || took > 3*time.Second {
					t.Errorf("two refusals that ask for a second each took %v", took)
				}
			}
		}, testkit.WithKinds(kind))
	})
	for _, idempotent := range []bool{false, true} {
		t.Run(fmt.Sprint("connection breaks, idempotent ", idempotent), func(t *testing.T) {
			l = newLedger()
			var handled atomic.Int64
			hangs := cluster.NewKind("user", actor.PropsFromFunc(func(ctx actor.Context) {
				if ctx.Message() == "hang once" {
					if handled.Add(1) > 1 {
						ctx.Respond("done")
					}
				}
			}))
			testkit.Run(t, 2, func(t *testing.T, c *testkit.Cluster) {
				_, far := local(t, c)
				time.AfterFunc(time.Second, func() { c.Network.Reset("10.0.0.1", "10.0.0.2") })
				var opts []cluster.CallOption
				if idempotent {
					opts = append(opts, cluster.Idempotent())
				}
				_, err := c.Node(0).Request(within(t, 10*time.Second), far, "hang once", opts...)
				switch {
				case idempotent && (err != nil || handled.Load() != 2):
					t.Errorf("an idempotent request = %v after %d times, want it tried again", err, handled.Load())
				case !idempotent && (!errors.Is(err, actor.ErrUnknownOutcome) || handled.Load() != 1):
					t.Errorf("a request = %v after %d times, want ErrUnknownOutcome and no second try", err, handled.Load())
				}
			}, testkit.WithKinds(hangs))
		})
	}
}

func TestSend(t *testing.T) {
	l := newLedger()
	testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
		for i := range 300 {
			if err := c.Node(i%3).Send(t.Context(), user(fmt.Sprint(i%10)), int64(i)); err != nil {
				t.Errorf("Send: %v", err)
			}
		}
		testkit.Advance(time.Second)
		for i := range 300 {
			if got := l.count(int64(i)); got != 1 {
				t.Errorf("message %d came %d times, want once", i, got)
			}
		}
	}, testkit.WithKinds(l.kind("user")))
}

// Messages of one node to one identity keep their order.
func TestSend_KeepsOrder(t *testing.T) {
	l := newLedger()
	testkit.Run(t, 2, func(t *testing.T, c *testkit.Cluster) {
		_, far := local(t, c)
		var want []any
		for i := range 1000 {
			if err := c.Node(0).Send(t.Context(), far, int64(i)); err != nil {
				t.Fatal(err)
			}
			want = append(want, int64(i))
		}
		testkit.Advance(time.Second)
		if !slices.Equal(l.order, want) {
			t.Errorf("1000 messages came out of order")
		}
	}, testkit.WithKinds(l.kind("user")))
}

func TestRequest_FromWithinAGrain(t *testing.T) {
	chain := actor.PropsFromFunc(func(ctx actor.Context) {
		if n, ok := ctx.Message().(int64); ok {
			if n == 0 {
				ctx.Respond(int64(0))
				return
			}
			id, _ := cluster.IdentityOf(ctx)
			reply, err := cluster.Request[int64](ctx, cluster.FromContext(ctx), user(id.Identity+"+"), n-1)
			if err != nil {
				ctx.Respond(err)
				return
			}
			ctx.Respond(reply + 1)
		}
	})
	testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
		begin := time.Now()
		if got := ask(t, c.Node(0), user("a"), int64(50)); got != int64(50) {
			t.Errorf("reply through a chain of 50 grains = %v, want 50", got)
		}
		if took := time.Since(begin); took > time.Second {
			t.Errorf("a chain of 50 grains took %v: they wait for each other's workers", took)
		}
	}, testkit.WithKinds(cluster.NewKind("user", chain)))
}

func TestIdentityOf_OutsideOfAGrain(t *testing.T) {
	if id, ok := cluster.IdentityOf(t.Context()); ok || cluster.FromContext(t.Context()) != nil {
		t.Errorf("IdentityOf = %v outside of a grain", id)
	}
}

func TestKinds_LiveWhereTheyAreRegistered(t *testing.T) {
	l := newLedger()
	testkit.Run(t, 1, func(t *testing.T, c *testkit.Cluster) {
		c.Add(cluster.WithKinds(l.kind("order")))
		c.Add(cluster.WithKinds(l.kind("order"), l.kind("user")))
		c.AwaitMembers(3)
		for kind, want := range map[string]int{"order": 2, "user": 1} {
			homes := make(map[any]bool)
			for i := range 20 {
				homes[ask(t, c.Node(0), cluster.Identity{Kind: kind, Identity: fmt.Sprint(i)}, "where")] = true
			}
			if len(homes) != want || homes[testkit.NodeAddress(0)] {
				t.Errorf("%q lives at %v, want %d members that host it", kind, homes, want)
			}
		}
	})
}

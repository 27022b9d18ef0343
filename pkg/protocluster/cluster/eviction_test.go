package cluster_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// alive is how many actors of id run in the cluster.
func (l *ledger) alive(id cluster.Identity) (n int) {
	synctest.Wait()
	l.note(func(l *ledger) { n = l.running[id.String()] })
	return n
}

func TestEviction_IsOffByDefault(t *testing.T) {
	l := newLedger()
	testkit.Run(t, 2, func(t *testing.T, c *testkit.Cluster) {
		ask(t, c.Node(0), user("1"), "who")
		testkit.Advance(10 * time.Minute)
		if got := l.alive(user("1")); got != 1 {
			t.Errorf("%d activations after ten minutes, want the one", got)
		}
	}, testkit.WithKinds(l.kind("user")))
}

func TestEviction_ByReceiveTimeoutAndPoisonPill(t *testing.T) {
	l := newLedger()
	for name, evict := range map[string]func(t *testing.T, n *testkit.Node, id cluster.Identity){
		"receive timeout": func(t *testing.T, n *testkit.Node, id cluster.Identity) {
			ask(t, n, id, "sleep")
			testkit.Advance(59 * time.Second)
			if l.alive(id) != 1 {
				t.Errorf("evicted before its time")
			}
			testkit.Advance(2 * time.Second)
		},
		"stop": func(t *testing.T, n *testkit.Node, id cluster.Identity) { ask(t, n, id, "stop") },
		"poison pill": func(t *testing.T, n *testkit.Node, id cluster.Identity) {
			if err := n.Send(t.Context(), id, &actor.PoisonPill{}); err != nil {
				t.Error(err)
			}
			testkit.Advance(time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			l = newLedger()
			testkit.Run(t, 2, func(t *testing.T, c *testkit.Cluster) {
				near, far := local(t, c)
				for _, id := range []cluster.Identity{near, far} {
					starts := l.starts(id)
					evict(t, c.Node(0), id)
					if got := l.alive(id); got != 0 {
						t.Errorf("%s still runs", id)
					}
					if got := ask(t, c.Node(0), id, "who"); got != id.String() {
						t.Errorf("reply = %v", got)
					}
					if got := l.starts(id); got != starts+1 {
						t.Errorf("%d starts, want one more than %d", got, starts)
					}
				}
			}, testkit.WithKinds(cluster.NewKind("user", actor.PropsFromFunc(func(ctx actor.Context) { l.receive(ctx) }))))
		})
	}
}

func TestEviction_ByIdleTimeout(t *testing.T) {
	l := newLedger()
	testkit.Run(t, 2, func(t *testing.T, c *testkit.Cluster) {
		for range 10 {
			testkit.Advance(30 * time.Second)
			ask(t, c.Node(0), user("busy"), "who")
			ask(t, c.Node(1), user("calm"), "who")
		}
		testkit.Advance(59 * time.Second)
		if l.alive(user("busy")) != 1 || l.alive(user("calm")) != 1 {
			t.Errorf("evicted within their idle timeout")
		}
		ask(t, c.Node(0), user("busy"), "who")
		testkit.Advance(2 * time.Second)
		if l.alive(user("busy")) != 1 || l.alive(user("calm")) != 0 {
			t.Errorf("%d busy and %d calm run, want only the busy one", l.alive(user("busy")), l.alive(user("calm")))
		}
		testkit.Advance(time.Minute)
		if got := l.alive(user("busy")); got != 0 {
			t.Errorf("the busy one still runs after a minute without messages")
		}
		if got := ask(t, c.Node(1), user("calm"), "who"); got != "user/calm" {
			t.Errorf("reply = %v", got)
		}
	}, testkit.WithKinds(l.kind("user", cluster.WithIdleTimeout(time.Minute))))
}

func TestEviction_ByCap(t *testing.T) {
	l := newLedger()
	testkit.Run(t, 1, func(t *testing.T, c *testkit.Cluster) {
		for i := range 10 {
			ask(t, c.Node(0), user(fmt.Sprint(i)), "who")
			ask(t, c.Node(0), user("often"), "who")
			testkit.Advance(time.Second)
		}
		for i := range 10 {
			want := 0
			if i >= 7 {
				want = 1
			}
			if got := l.alive(user(fmt.Sprint(i))); got != want {
				t.Errorf("%d of identity %d run, want %d: the least recently used go", got, i, want)
			}
		}
		if l.alive(user("often")) != 1 || l.starts(user("often")) != 1 {
			t.Errorf("what is used most was evicted")
		}
	}, testkit.WithKinds(l.kind("user", cluster.WithMaxActive(4))))
}

// Whatever evicts, and however often, each message is served once.
func TestEviction_LosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	const senders = 12
	each := 100
	if testing.Short() {
		each = 40
	}
	for _, row := range []struct {
		name string
		opts []cluster.KindOption
		hurt func(t *testing.T, c *testkit.Cluster, id cluster.Identity) // sent now and then
	}{
		{"poison pills", nil, func(t *testing.T, c *testkit.Cluster, id cluster.Identity) {
			if err := c.Node(rand.IntN(3)).Send(t.Context(), id, &actor.PoisonPill{}); err != nil {
				t.Error(err)
			}
		}},
		{"stops", nil, func(t *testing.T, c *testkit.Cluster, id cluster.Identity) {
			if err := c.Node(rand.IntN(3)).Send(t.Context(), id, "stop"); err != nil {
				t.Error(err)
			}
		}},
		{"cap of one", []cluster.KindOption{cluster.WithMaxActive(1)}, nil},
		{"idle timeout", []cluster.KindOption{cluster.WithIdleTimeout(time.Millisecond)}, func(*testing.T, *testkit.Cluster, cluster.Identity) {
			<-time.After(time.Millisecond)
		}},
		{"all of it", []cluster.KindOption{cluster.WithMaxActive(2), cluster.WithIdleTimeout(time.Millisecond)}, func(t *testing.T, c *testkit.Cluster, id cluster.Identity) {
			for _, m := range []any{&actor.PoisonPill{}, "stop"} {
				if err := c.Node(rand.IntN(3)).Send(t.Context(), id, m); err != nil {
					t.Error(err)
				}
			}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			l := newLedger()
			testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
				c.Network.Shape(testkit.Link{Latency: 100 * time.Microsecond, Jitter: 200 * time.Microsecond})
				var work sync.WaitGroup
				for s := range senders {
					work.Go(func() {
						for i := range each {
							id := user(fmt.Sprint(rand.IntN(5)))
							message := int64(s*each + i)
							if s%2 == 0 {
								if _, err := c.Node(s%3).Request(within(t, time.Minute), id, message); err != nil {
									t.Errorf("Request: %v", err)
								}
							} else if err := c.Node(s%3).Send(within(t, time.Minute), id, message); err != nil {
								t.Errorf("Send: %v", err)
							}
							if row.hurt != nil && rand.IntN(4) == 0 {
								row.hurt(t, c, id)
							}
						}
					})
				}
				work.Wait()
				testkit.Advance(10 * time.Second)
				for m := range int64(senders * each) {
					if got := l.count(m); got != 1 {
						t.Errorf("message %d was served %d times, want once", m, got)
					}
				}
				for id, most := range l.most {
					if most > 1 {
						t.Errorf("%d activations of %s at a time, want one", most, id)
					}
				}
				t.Logf("%d activations", c.Node(0).Stats().Activations+c.Node(1).Stats().Activations+c.Node(2).Stats().Activations)
			}, testkit.WithKinds(l.kind("user", row.opts...)))
		})
	}
}

// An actor that stops before it handles anything does not keep its messages
// going round for ever.
func TestEviction_BeforeAnythingIsServed(t *testing.T) {
	var starts atomic.Int64
	hopeless := actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Started); ok {
			starts.Add(1)
			ctx.Stop(ctx.Self())
		}
	})
	testkit.Run(t, 1, func(t *testing.T, c *testkit.Cluster) {
		var letters atomic.Int64
		c.Node(0).System().Events().Subscribe(func(event any) {
			if l, ok := event.(*actor.DeadLetter); ok && l.Message == "told" {
				letters.Add(1)
			}
		})
		if err := c.Node(0).Send(t.Context(), user("1"), "told"); err != nil {
			t.Fatal(err)
		}
		testkit.Advance(time.Minute)
		if letters.Load() != 1 || starts.Load() > 200 {
			t.Errorf("%d dead letters after %d starts, want one letter after some tries", letters.Load(), starts.Load())
		}
		if _, err := c.Node(0).Request(within(t, time.Second), user("1"), "asked"); err == nil {
			t.Errorf("Request = nil, want an error")
		}
	}, testkit.WithKinds(cluster.NewKind("user", hopeless)))
}

// An activation that ends is not handed out: who asks gets the next one.
func TestEviction_LocateWaitsForTheNext(t *testing.T) {
	l := newLedger()
	works := cluster.NewKind("user", actor.PropsFromFunc(func(ctx actor.Context) {
		if ctx.Message() == "work" {
			<-time.After(time.Second)
		}
		l.receive(ctx)
	}), cluster.WithMaxActive(1))
	testkit.Run(t, 2, func(t *testing.T, c *testkit.Cluster) {
		ids := on(t, c, 1, 2)
		ask(t, c.Node(1), ids[0], "who")
		if err := c.Node(1).Send(t.Context(), ids[0], "work"); err != nil {
			t.Fatal(err)
		}
		testkit.Advance(time.Millisecond)
		ask(t, c.Node(1), ids[1], "who") // has the other one evicted once it has worked
		starts, client := l.starts(ids[0]), c.AddClient()
		if _, err := client.Locate(t.Context(), ids[0]); err != nil || l.starts(ids[0]) != starts+1 {
			t.Errorf("Locate returned %v with the activation that ends", err)
		}
	}, testkit.WithKinds(works))
}

package cluster_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/disthash"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/partition"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// A first request takes one trip to the owner and back, and later ones know where
// to go.
func TestHail_TakesOneTrip(t *testing.T) {
	for name, lookup := range map[string]cluster.IdentityLookup{"disthash": disthash.New(), "partition": partition.New()} {
		t.Run(name, func(t *testing.T) {
			l := newLedger()
			testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
				client := c.AddClient()
				ids := ownedBy(t, c, 1, users(60))
				c.Leave(1) // where those were
				c.AwaitMembers(2)
				testkit.Advance(5 * time.Second)
				for _, id := range users(200)[60:] { // so that everybody is connected
					ask(t, c.Node(0), id, "where")
					ask(t, client, id, "where")
				}
				c.Network.Shape(testkit.Link{Latency: 10 * time.Millisecond})
				for i, n := range []*testkit.Node{c.Node(0), client} {
					for _, id := range ids[i*3 : i*3+3] {
						before, begin := n.Stats(), time.Now()
						home := ask(t, n, id, "where")
						want := 20 * time.Millisecond
						if home == testkit.NodeAddress(0) && i == 0 {
							want = 0
						}
						if took := time.Since(begin); took < want || took > want+5*time.Millisecond {
							t.Errorf("a first request took %v, want %v", took, want)
						}
						if got := ask(t, n, id, "where"); got != home || l.starts(id) != 2 {
							t.Errorf("it lives at %v after %d starts, want it at %v after two", got, l.starts(id), home)
						}
						s := n.Stats()
						if hits, misses, retries := s.CacheHits-before.CacheHits, s.CacheMisses-before.CacheMisses, s.Retries-before.Retries; hits != 1 ||
							misses != 1 || retries != 0 {
							t.Errorf("counted %d hits, %d misses and %d retries, want one hit and one miss", hits, misses, retries)
						}
					}
				}
			}, testkit.WithKinds(l.kind("user")), testkit.WithLookup(lookup))
		})
	}
}

// stray is disthash, whose nodes but for the last take the last member for the
// owner of everything.
type stray struct{ *disthash.Lookup }

type strayLocator struct {
	cluster.Locator
	cluster.Router
	host cluster.Host
}

func (s stray) Bind(host cluster.Host) (cluster.Locator, error) {
	l, err := s.Lookup.Bind(host)
	router, _ := l.(cluster.Router)
	return strayLocator{l, router, host}, err
}

func (l strayLocator) Route(id cluster.Identity) (cluster.Member, bool) {
	for _, m := range l.host.View().Members {
		if m.Address == testkit.NodeAddress(2) && m.Address != l.host.Self().Address {
			return m, true
		}
	}
	return l.Router.Route(id)
}

// A hail that comes to another than the owner is turned away, and its asker looks
// the identity up: nobody else notices.
func TestHail_GoesAstray(t *testing.T) {
	l := newLedger()
	testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
		letters := 0
		c.Node(0).System().Events().Subscribe(func(event any) {
			if _, ok := event.(*actor.DeadLetter); ok {
				letters++
			}
		})
		for _, id := range users(20) {
			home := ask(t, c.Node(0), id, "where")
			if got := c.NodeOf(c.Node(2), id); home != testkit.NodeAddress(got) || l.starts(id) != 1 {
				t.Errorf("%s lives at %v after %d starts, want it started at node %d", id, home, l.starts(id), got)
			}
		}
		s := c.Node(0).Stats()
		if s.Retries != 0 || s.CacheMisses != 20 || letters != 0 {
			t.Errorf("counted %d retries, %d misses, %d dead letters; want 20 misses and nothing else", s.Retries, s.CacheMisses, letters)
		}
		if rejected := c.Node(2).Remote().Rejected(); len(rejected) != 0 {
			t.Errorf("node 2 counts %v as rejected, want nothing", rejected)
		}
		c.Leave(2)
		for _, id := range users(20) {
			if home := ask(t, c.Node(1), id, "where"); home == testkit.NodeAddress(2) {
				t.Errorf("%s lives on a member that left", id)
			}
		}
	}, testkit.WithKinds(l.kind("user")), testkit.WithLookup(stray{disthash.New()}))
}

// slowly is a kind whose actors take that long to start, and then note what they do.
func (l *ledger) slowly(d time.Duration) cluster.Kind {
	return cluster.NewKind("user", actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*actor.Started); ok {
			<-time.After(d)
		}
		l.receive(ctx)
	}))
}

// Hails wait for a start that takes a moment; a longer one is waited for by a
// look-up. Either way there is one activation, and one answer for each.
func TestHail_WaitsForTheStart(t *testing.T) {
	for _, start := range []time.Duration{10 * time.Millisecond, 3 * time.Second} {
		t.Run(start.String(), func(t *testing.T) {
			l := newLedger()
			testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
				ids := users(6)
				begin := time.Now()
				var askers sync.WaitGroup
				for i := range 60 {
					askers.Go(func() { ask(t, c.Node(i%3), ids[i%6], int64(i)) })
				}
				askers.Wait()
				if took := time.Since(begin); took < start || took > start+50*time.Millisecond {
					t.Errorf("it took %v, want the %v of the start and little more", took, start)
				}
				for _, id := range ids {
					if l.starts(id) != 1 {
						t.Errorf("%s was started %d times, want once", id, l.starts(id))
					}
				}
				for i := range 60 {
					if l.count(int64(i)) != 1 {
						t.Errorf("message %d was handled %d times, want once", i, l.count(int64(i)))
					}
				}
				for i := range 3 {
					if retries := c.Node(i).Stats().Retries; retries != 0 {
						t.Errorf("node %d counts %d retries, want none", i, retries)
					}
				}
			}, testkit.WithKinds(l.slowly(start)))
		})
	}
}

// What ends before its identity has started was not delivered, and is not handled
// after that.
func TestHail_EndsBeforeTheStart(t *testing.T) {
	l := newLedger()
	testkit.Run(t, 2, func(t *testing.T, c *testkit.Cluster) {
		for _, id := range users(8) { // of both nodes
			for i, ctx := range []context.Context{within(t, 10*time.Millisecond), within(t, 300*time.Millisecond), within(t, 2*time.Second)} {
				_, err := c.Node(0).Request(ctx, id, int64(i))
				if _, ok := errors.AsType[*cluster.RequestError](err); !ok || !errors.Is(err, actor.ErrNotDelivered) ||
					!errors.Is(err, context.DeadlineExceeded) || errors.Is(err, actor.ErrUnknownOutcome) {
					t.Errorf("Request %d = %v, want a time-out, not delivered", i, err)
				}
			}
		}
		testkit.Advance(time.Minute)
		for i := range 3 {
			if got := l.count(int64(i)); got != 0 {
				t.Errorf("message %d was handled %d times after its request had ended", i, got)
			}
		}
		for _, id := range users(8) {
			if l.starts(id) != 1 {
				t.Errorf("%s was started %d times, want once", id, l.starts(id))
			}
		}
	}, testkit.WithKinds(l.slowly(10*time.Second)))
}

// While an activation starts its member leaves the placement: what waits for it is
// served once, by it or by the next.
func TestHail_MovesWhileItWaits(t *testing.T) {
	for name, lookup := range map[string]cluster.IdentityLookup{"disthash": disthash.New(), "partition": partition.New()} {
		for _, start := range []time.Duration{60 * time.Millisecond, time.Second} {
			t.Run(name+" "+start.String(), func(t *testing.T) {
				l := newLedger()
				testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
					ids := users(60)
					var askers sync.WaitGroup
					for i, id := range ids {
						for j := range 2 {
							askers.Go(func() { ask(t, c.Node(j), id, int64(2*i+j)) })
						}
					}
					testkit.Advance(20 * time.Millisecond)
					c.Leave(2)
					askers.Wait()
					testkit.Advance(10 * time.Second)
					for i := range 2 * len(ids) {
						if l.count(int64(i)) != 1 {
							t.Errorf("message %d was handled %d times, want once", i, l.count(int64(i)))
						}
					}
					for _, id := range ids {
						if l.alive(id) > 1 {
							t.Errorf("%d activations of %s, want one at most", l.alive(id), id)
						}
						if name == "partition" && l.most[id.String()] > 1 { // less if one was told to end before it could start
							t.Errorf("%d activations of %s at a time, want one", l.most[id.String()], id)
						}
					}
				}, testkit.WithKinds(l.slowly(start)), testkit.WithLookup(lookup))
			})
		}
	}
}

// A member without a lease turns a hail away; the identity is served once it has
// one, or elsewhere.
func TestHail_MeetsNoLease(t *testing.T) {
	for _, pause := range []time.Duration{700 * time.Millisecond, 20 * time.Second} {
		t.Run(pause.String(), func(t *testing.T) {
			r := newReferee()
			testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
				ids := ownedBy(t, c, 2, users(90))
				c.Pause(2)
				var askers sync.WaitGroup
				time.AfterFunc(pause, func() { c.Resume(2) })
				for i, id := range ids {
					askers.Go(func() {
						other := user(id.Identity + "+")
						_, err := c.Node(i%2).Request(within(t, 10*time.Second), other, "visit", cluster.Idempotent())
						if err != nil {
							t.Errorf("Request = %v, want an answer", err)
						}
					})
				}
				askers.Wait()
				testkit.Advance(30 * time.Second)
				r.check(t)
			}, testkit.WithKinds(r.kind("user")), testkit.WithLookup(partition.New()))
		})
	}
}

// A full mailbox, and an actor that refuses, are heard by whoever asked first, too.
func TestHail_IsRefusedByTheActor(t *testing.T) {
	refuses := cluster.NewKind("user", actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(string); ok {
			ctx.Respond(&actor.RejectedError{Reason: actor.ErrMailboxFull, RetryAfter: time.Second})
		}
	}))
	testkit.Run(t, 2, func(t *testing.T, c *testkit.Cluster) {
		for _, id := range users(10) {
			_, err := c.Node(0).Request(within(t, 500*time.Millisecond), id, "x")
			failed, ok := errors.AsType[*cluster.RequestError](err)
			if !ok || failed.Tries != 1 || len(failed.Attempts) != 1 || failed.Attempts[0].Address == "" || !errors.Is(err, actor.ErrMailboxFull) {
				t.Errorf("Request = %v, want one try that tells of the full mailbox", err)
			}
		}
	}, testkit.WithKinds(refuses))
}

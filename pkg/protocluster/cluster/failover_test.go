package cluster_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// on returns identities that live on node i, which are activated.
func on(t testing.TB, c *testkit.Cluster, i, count int) (ids []cluster.Identity) {
	t.Helper()
	for n := 0; len(ids) < count; n++ {
		if id := user(fmt.Sprint("on-", n)); c.NodeOf(c.Node(0), id) == i {
			ids = append(ids, id)
		}
	}
	return ids
}

func TestFailover_CrashAndKill(t *testing.T) {
	for name, end := range map[string]func(*testkit.Cluster, int){"crash": (*testkit.Cluster).Crash, "kill": (*testkit.Cluster).Kill} {
		t.Run(name, func(t *testing.T) {
			l := newLedger()
			testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
				ids := on(t, c, 2, 5)
				begin := time.Now()
				end(c, 2)
				for _, n := range c.Nodes() {
					for _, id := range ids {
						got, err := n.Request(within(t, 10*time.Second), id, "where", cluster.Idempotent())
						if err != nil || got == testkit.NodeAddress(2) {
							t.Errorf("Request(%s) after the %s = %v, %v, want it to live elsewhere", id, name, got, err)
						}
					}
				}
				if took := time.Since(begin); took > 5*time.Second {
					t.Errorf("failover took %v, want the time to live of 3s and little more", took)
				}
				c.AwaitMembers(2)
			}, testkit.WithKinds(l.kind("user")), testkit.WithTTL(3*time.Second))
		})
	}
}

// A request that a crashed member may have executed is not made again.
func TestFailover_UnknownOutcome(t *testing.T) {
	l := newLedger()
	hangs := cluster.NewKind("user", actor.PropsFromFunc(func(ctx actor.Context) {
		if ctx.Message() != "hang" {
			l.receive(ctx)
		}
	}))
	testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
		id := on(t, c, 2, 1)[0]
		time.AfterFunc(time.Second, func() { c.Network.Crash("10.0.0.3"); c.Agent.Cut(c.Node(2).System().ID()) })
		begin := time.Now()
		_, err := c.Node(0).Request(within(t, time.Minute), id, "hang")
		if !errors.Is(err, actor.ErrUnknownOutcome) || errors.Is(err, actor.ErrNotDelivered) {
			t.Errorf("Request = %v, want ErrUnknownOutcome", err)
		}
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("it took %v to know, want no wait for the deadline", took)
		}
		c.Crash(2)
	}, testkit.WithKinds(hangs))
}

func TestLeave_HandsOver(t *testing.T) {
	l := newLedger()
	testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
		ids := on(t, c, 2, 5)
		begin := time.Now()
		c.Leave(2)
		if took := time.Since(begin); took > time.Second {
			t.Errorf("Leave took %v, want well below the time to live", took)
		}
		for _, n := range c.Nodes() {
			for _, id := range ids {
				if got := ask(t, n, id, "where"); got == testkit.NodeAddress(2) {
					t.Errorf("%s still lives on the member that left", id)
				}
				if l.starts(id) != 2 || l.most[id.String()] != 1 {
					t.Errorf("%s was started %d times, %d at a time, want twice, one after the other", id, l.starts(id), l.most[id.String()])
				}
			}
		}
		if took := time.Since(begin); took > 2*time.Second {
			t.Errorf("the identities of a leaver were away for %v", took)
		}
	}, testkit.WithKinds(l.kind("user")))
}

// sender sends through node, from number first on by the step, until it fails
// or stop is closed; sent has what was taken, maybe what failed.
type sender struct{ sent, maybe []int64 }

func (s *sender) run(t *testing.T, node *testkit.Node, first, step int64, stop <-chan struct{}) {
	for m := first; ; m += step {
		select {
		case <-stop:
			return
		case <-time.After(4 * time.Millisecond):
		}
		id := user(fmt.Sprint(m / 2 % 40))
		var err error
		if m%2 == 0 {
			err = node.Send(t.Context(), id, m)
		} else {
			_, err = node.Request(t.Context(), id, m)
		}
		if err == nil {
			s.sent = append(s.sent, m)
			continue
		}
		s.maybe = append(s.maybe, m)
		if !errors.Is(err, cluster.ErrClosed) && !errors.Is(err, actor.ErrStopped) {
			t.Errorf("message %d: %v", m, err)
		}
		return
	}
}

// While members are replaced one after the other, every message is served once,
// whoever sends.
func TestLeave_RollingRestartLosesNothing(t *testing.T) {
	t.Parallel()
	latencies := []time.Duration{0, time.Millisecond, 10 * time.Millisecond}
	if testing.Short() {
		latencies = latencies[1:2]
	}
	for _, latency := range latencies {
		t.Run(latency.String(), func(t *testing.T) {
			l := newLedger()
			testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
				c.Network.Shape(testkit.Link{Latency: latency, Jitter: latency})
				stop := make(chan struct{})
				var work sync.WaitGroup
				var senders []*sender
				send := func(n *testkit.Node) {
					first := int64(len(senders)) << 32
					tells, asks := new(sender), new(sender)
					senders = append(senders, tells, asks)
					work.Go(func() { tells.run(t, n, first, 2, stop) })
					work.Go(func() { asks.run(t, n, first+1, 2, stop) })
				}
				send(c.AddClient())
				for _, n := range c.Nodes()[:3] {
					send(n)
				}
				for i := range 3 {
					testkit.Advance(200 * time.Millisecond)
					send(c.Add())
					testkit.Advance(200 * time.Millisecond)
					c.Leave(i)
				}
				testkit.Advance(200 * time.Millisecond)
				close(stop)
				work.Wait()
				testkit.Advance(5 * time.Second)
				total := 0
				for _, s := range senders {
					for _, m := range s.sent {
						if got := l.count(m); got != 1 {
							t.Errorf("message %x was served %d times, want once", m, got)
						}
					}
					for _, m := range s.maybe {
						if got := l.count(m); got > 1 {
							t.Errorf("message %x was served %d times, want once at most", m, got)
						}
					}
					total += len(s.sent)
				}
				t.Logf("%d messages", total)
			}, testkit.WithKinds(l.kind("user")))
		})
	}
}

// A virtual actor may use the cluster while it is drained.
func TestLeave_GrainsTalkWhileTheyAreDrained(t *testing.T) {
	l := newLedger()
	talks := cluster.NewKind("talker", actor.PropsFromFunc(func(ctx actor.Context) {
		switch ctx.Message().(type) {
		case *actor.Stopping:
			id, _ := cluster.IdentityOf(ctx)
			if _, err := cluster.FromContext(ctx).Request(ctx, user("archive"), "bye of "+id.Identity); err != nil && !errors.Is(err, cluster.ErrClosed) {
				t.Errorf("Request in Stopping: %v", err)
			}
		case string:
			ctx.Respond(ctx.Self().Address)
		}
	}))
	testkit.Run(t, 2, func(t *testing.T, c *testkit.Cluster) {
		for i := range 20 {
			ask(t, c.Node(0), cluster.Identity{Kind: "talker", Identity: fmt.Sprint(i)}, "x")
		}
		c.Leave(1)
		byes := 0
		l.note(func(l *ledger) { byes = len(l.handled) })
		if byes == 0 || byes == 20 {
			t.Errorf("%d of 20 said good-bye, want those of the leaver", byes)
		}
	}, testkit.WithKinds(talks, l.kind("user")))
}

// A PID of a member that left is never served from the cache, however warm it
// was.
func TestCache_ForgetsMembersThatLeft(t *testing.T) {
	l := newLedger()
	testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
		ids := on(t, c, 2, 20)
		before := c.Node(0).Stats()
		for _, id := range ids {
			ask(t, c.Node(0), id, "where")
		}
		if hits := c.Node(0).Stats().CacheHits - before.CacheHits; hits != 20 {
			t.Errorf("%d of 20 look-ups came from the cache, want all", hits)
		}
		gone := c.Node(2).System().ID()
		c.Crash(2)
		for view := range c.Node(0).Views(t.Context()) {
			if _, in := view.Member(gone); !in {
				break
			}
		}
		for _, id := range ids {
			pid, err := c.Node(0).Locate(t.Context(), id)
			if err != nil || pid.Address == testkit.NodeAddress(2) {
				t.Errorf("Locate(%s) = %v, %v, want it elsewhere", id, pid, err)
			}
		}
	}, testkit.WithKinds(l.kind("user")))
}

// A member that the provider lost for a while comes back and is talked to.
func TestFailover_PausedMemberComesBack(t *testing.T) {
	l := newLedger()
	testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
		ids := on(t, c, 2, 3)
		c.Pause(2)
		testkit.Advance(30 * time.Second)
		for _, id := range ids {
			if got := ask(t, c.Node(0), id, "where"); got == testkit.NodeAddress(2) {
				t.Errorf("%s lives on a member that is paused", id)
			}
		}
		c.Resume(2)
		c.AwaitMembers(3)
		testkit.Advance(10 * time.Second)
		for _, n := range c.Nodes() {
			for _, id := range ids {
				if got := ask(t, n, id, "where"); got != testkit.NodeAddress(2) {
					t.Errorf("%s lives at %v, want the member that came back", id, got)
				}
			}
		}
		for _, id := range ids {
			if got := l.alive(id); got != 1 {
				t.Errorf("%d activations of %s, want the duplicate to be gone", got, id)
			}
		}
	}, testkit.WithKinds(l.kind("user")))
}

// A pause that is shorter than the time to live costs nothing but time.
func TestFailover_ShortPause(t *testing.T) {
	l := newLedger()
	testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
		ids := on(t, c, 2, 3)
		c.Pause(2)
		time.AfterFunc(time.Second, func() { c.Resume(2) })
		for _, id := range ids {
			if got := ask(t, c.Node(0), id, "where"); got != testkit.NodeAddress(2) {
				t.Errorf("%s lives at %v, want it where it was", id, got)
			}
			if got := l.starts(id); got != 1 {
				t.Errorf("%s was started %d times, want once", id, got)
			}
		}
		if epoch := c.Node(0).View(); len(epoch.Members) != 3 {
			t.Errorf("members = %v, want all", epoch.Members)
		}
	}, testkit.WithKinds(l.kind("user")))
}

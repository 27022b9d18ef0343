package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/disthash"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

func TestActivation_ConcurrentFirstRequestsMakeOne(t *testing.T) {
	l := newLedger()
	testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
		var callers sync.WaitGroup
		for i := range 300 {
			callers.Go(func() { ask(t, c.Node(i%3), user(fmt.Sprint(i%7)), int64(i)) })
		}
		callers.Wait()
		for i := range 7 {
			if got := l.starts(user(fmt.Sprint(i))); got != 1 {
				t.Errorf("identity %d was started %d times, want once", i, got)
			}
		}
		for i := range 300 {
			if got := l.count(int64(i)); got != 1 {
				t.Errorf("message %d was handled %d times, want once", i, got)
			}
		}
	}, testkit.WithKinds(l.kind("user")))
}

func TestActivation_FailureIsToldAndForgotten(t *testing.T) {
	var broken atomic.Bool
	var tries atomic.Int64
	inStarted := actor.PropsFromFunc(func(ctx actor.Context) {
		switch ctx.Message().(type) {
		case *actor.Started:
			if tries.Add(1); broken.Load() {
				panic("no database")
			}
		case string:
			ctx.Respond("fine")
		}
	})
	inProducer := actor.PropsFromProducer(func() actor.Actor {
		if tries.Add(1); broken.Load() {
			panic("no database")
		}
		return actor.ReceiveFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(string); ok {
				ctx.Respond("fine")
			}
		})
	})
	for _, row := range []struct {
		name  string
		props *actor.Props
		most  int64 // tries for one request
	}{{"in Started", inStarted, 1}, {"in the producer", inProducer, 11}} {
		t.Run(row.name, func(t *testing.T) {
			testkit.Run(t, 2, func(t *testing.T, c *testkit.Cluster) {
				for i, n := range c.Nodes() {
					broken.Store(true)
					id := user(fmt.Sprint("a", i))
					for range 2 {
						before := tries.Load()
						_, err := n.Request(t.Context(), id, "x")
						failed, ok := errors.AsType[*cluster.ActivationError](err)
						if !ok || failed.ID != id {
							t.Errorf("Request = %v, want an ActivationError", err)
						}
						wantFault(t, err, "no database")
						if errors.Is(err, actor.ErrUnknownOutcome) {
							t.Errorf("error %v has an unknown outcome, want none: nothing was executed", err)
						}
						if got := tries.Load() - before; got < 1 || got > row.most {
							t.Errorf("%d tries, want 1 to %d", got, row.most)
						}
						if err := n.Send(t.Context(), id, "x"); err == nil {
							t.Errorf("Send succeeded, want the failed activation told")
						}
					}
					broken.Store(false)
					if got := ask(t, n, id, "x"); got != "fine" {
						t.Errorf("reply = %v once the cause is gone", got)
					}
				}
			}, testkit.WithKinds(cluster.NewKind("user", row.props)))
		})
	}
}

// A panic later than in *Started is the supervisor's business: the activation
// and its PID stay.
func TestActivation_RestartsKeepIt(t *testing.T) {
	l := newLedger()
	testkit.Run(t, 2, func(t *testing.T, c *testkit.Cluster) {
		near, far := local(t, c)
		for _, id := range []cluster.Identity{near, far} {
			if _, err := c.Node(0).Request(t.Context(), id, "panic"); err == nil {
				t.Errorf("Request = nil, want the panic")
			}
			if got := ask(t, c.Node(0), id, "who"); got != id.String() {
				t.Errorf("after a restart it is %v, want %v", got, id)
			}
		}
		if got := c.Node(0).Stats().Activations + c.Node(1).Stats().Activations; got != uint64(len(l.started)) {
			t.Errorf("%d activations of %d identities", got, len(l.started))
		}
	}, testkit.WithKinds(l.kind("user")))
}

// A grain that is slow to start keeps its callers waiting, and nobody else.
func TestActivation_SlowStart(t *testing.T) {
	slow := actor.PropsFromFunc(func(ctx actor.Context) {
		id, _ := cluster.IdentityOf(ctx)
		switch ctx.Message().(type) {
		case *actor.Started:
			if id.Identity == "slow" {
				<-time.After(20 * time.Second)
			}
		case string:
			ctx.Respond("ready")
		}
	})
	testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
		begin := time.Now()
		_, err := c.Node(0).Request(within(t, time.Second), user("slow"), "x")
		if !errors.Is(err, actor.ErrNotDelivered) || time.Since(begin) != time.Second {
			t.Errorf("Request = %v after %v, want not delivered after 1s", err, time.Since(begin))
		}
		for i := range 50 {
			ask(t, c.Node(i%3), user(fmt.Sprint(i)), "x")
		}
		if took := time.Since(begin); took > 2*time.Second {
			t.Errorf("others took %v beside a slow one", took)
		}
		if got := ask(t, c.Node(1), user("slow"), "x"); got != "ready" || time.Since(begin) > 21*time.Second {
			t.Errorf("reply = %v after %v, want it once the one activation is ready", got, time.Since(begin))
		}
	}, testkit.WithKinds(cluster.NewKind("user", slow)))
}

// counting is a lookup that counts what its locators are asked, and checks when
// they are told of a view.
type counting struct {
	cluster.IdentityLookup
	t       *testing.T
	locates atomic.Int64
	during  func() // each Locate
}

func (l *counting) Bind(host cluster.Host) (cluster.Locator, error) {
	locator, err := l.IdentityLookup.Bind(host)
	return countingLocator{locator, l, host}, err
}

type countingLocator struct {
	cluster.Locator
	lookup *counting
	host   cluster.Host
}

func (l countingLocator) Locate(ctx context.Context, id cluster.Identity) (*actor.PID, error) {
	l.lookup.locates.Add(1)
	pid, err := l.Locator.Locate(ctx, id)
	if l.lookup.during != nil {
		l.lookup.during()
	}
	return pid, err
}

func (l countingLocator) Update(view *cluster.View) {
	if now := l.host.View().Epoch; now >= view.Epoch {
		l.lookup.t.Errorf("told of epoch %d when requests are routed by epoch %d already", view.Epoch, now)
	}
	l.Locator.Update(view)
}

// What a look-up found in a view that was replaced meanwhile does not count.
func TestLocate_StartsAgainInAnotherView(t *testing.T) {
	l, lookup := newLedger(), &counting{IdentityLookup: disthash.New(), t: t}
	testkit.Run(t, 2, func(t *testing.T, c *testkit.Cluster) {
		_, far := local(t, c)
		client := c.AddClient()
		first := true
		lookup.during = func() {
			if first {
				first = false
				c.Agent.Cut(c.Node(1).System().ID())
				<-time.After(10 * time.Second)
			}
		}
		before := lookup.locates.Load()
		pid, err := client.Locate(within(t, time.Minute), far)
		if err != nil || pid.Address != testkit.NodeAddress(0) || lookup.locates.Load()-before != 2 {
			t.Errorf("Locate = %v, %v after %d look-ups, want the one in the new view", pid, err, lookup.locates.Load()-before)
		}
	}, testkit.WithKinds(l.kind("user")), testkit.WithLookup(lookup))
}

// Callers on one node share a look-up.
func TestLocate_IsAskedOnceForAll(t *testing.T) {
	l, lookup := newLedger(), &counting{IdentityLookup: disthash.New(), t: t}
	testkit.Run(t, 2, func(t *testing.T, c *testkit.Cluster) {
		c.Network.Shape(testkit.Link{Latency: time.Millisecond})
		_, far := local(t, c)
		client := c.AddClient()
		before := lookup.locates.Load()
		var callers sync.WaitGroup
		for i := range 100 {
			callers.Go(func() { ask(t, client, far, int64(i)) })
		}
		callers.Wait()
		if got := lookup.locates.Load() - before; got != 1 {
			t.Errorf("%d look-ups for 100 first requests, want one", got)
		}
	}, testkit.WithKinds(l.kind("user")), testkit.WithLookup(lookup))
}

package cluster_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// late is a provider whose reports come late.
type late struct {
	cluster.Provider
	by time.Duration
}

func (p late) Run(ctx context.Context, node cluster.Node) error {
	return p.Provider.Run(ctx, lateNode{node, p.by})
}

type lateNode struct {
	cluster.Node
	by time.Duration
}

func (n lateNode) Report(members []cluster.Member) {
	time.AfterFunc(n.by, func() { n.Node.Report(members) })
}

func lateBy(d time.Duration) cluster.Option {
	return func(c *cluster.Config) { c.Provider = late{c.Provider, d} }
}

// Members, and clients, that learn late of a leave go on sending to the leaver:
// what they send is served.
func TestLeave_WaitsForWhoLearnsLate(t *testing.T) {
	for _, row := range []struct {
		name string
		add  func(c *testkit.Cluster) *testkit.Node
	}{
		{"member", func(c *testkit.Cluster) *testkit.Node { return c.Add(lateBy(time.Second)) }},
		{"client", func(c *testkit.Cluster) *testkit.Node { return c.AddClient(lateBy(50 * time.Millisecond)) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			l := newLedger()
			testkit.Run(t, 2, func(t *testing.T, c *testkit.Cluster) {
				n := row.add(c)
				testkit.Advance(2 * time.Second)
				ids := on(t, c, 1, 5)
				for _, id := range ids {
					ask(t, n, id, "where")
				}
				var leave sync.WaitGroup
				leave.Go(func() { c.Leave(1) })
				for i := range 100 {
					testkit.Advance(time.Millisecond)
					if err := n.Send(t.Context(), ids[i%5], int64(i)); err != nil {
						t.Errorf("Send: %v", err)
					}
				}
				leave.Wait()
				testkit.Advance(10 * time.Second)
				for i := range 100 {
					if got := l.count(int64(i)); got != 1 {
						t.Errorf("message %d was served %d times, want once", i, got)
					}
				}
			}, testkit.WithKinds(l.kind("user")))
		})
	}
}

// What is queued behind a member's last messages waits for activations that
// start slowly elsewhere.
func TestLeave_WaitsForSlowSuccessors(t *testing.T) {
	l := newLedger()
	slow := cluster.NewKind("user", actor.PropsFromFunc(func(ctx actor.Context) {
		switch ctx.Message() {
		case "work":
			<-time.After(time.Second)
			ctx.Respond("done")
			return
		}
		if _, ok := ctx.Message().(*actor.Started); ok {
			<-time.After(500 * time.Millisecond)
		}
		l.receive(ctx)
	}))
	testkit.Run(t, 2, func(t *testing.T, c *testkit.Cluster) {
		id := on(t, c, 1, 1)[0]
		if err := c.Node(0).Send(t.Context(), id, "work"); err != nil {
			t.Fatal(err)
		}
		var leave sync.WaitGroup
		testkit.Advance(time.Millisecond)
		leave.Go(func() { c.Leave(1) })
		testkit.Advance(500 * time.Millisecond)
		pid := actor.NewPID(testkit.NodeAddress(1), "grain/"+id.String())
		for i := range 10 { // behind the pill
			c.Node(0).System().Send(pid, int64(i))
		}
		leave.Wait()
		testkit.Advance(10 * time.Second)
		for i := range 10 {
			if got := l.count(int64(i)); got != 1 {
				t.Errorf("message %d was served %d times, want once", i, got)
			}
		}
	}, testkit.WithKinds(slow))
}

// The calls of a node's own user end before it leaves.
func TestLeave_WaitsForItsUsersCalls(t *testing.T) {
	slow := cluster.NewKind("user", actor.PropsFromFunc(func(ctx actor.Context) {
		if ctx.Message() == "work" {
			<-time.After(2 * time.Second)
			ctx.Respond("done")
		}
	}))
	testkit.Run(t, 2, func(t *testing.T, c *testkit.Cluster) {
		nodes := []*testkit.Node{c.Add(), c.AddClient()}
		ids := on(t, c, 0, 2)
		for i, n := range nodes {
			var work sync.WaitGroup
			work.Go(func() {
				if reply, err := n.Request(t.Context(), ids[i], "work"); err != nil || reply != "done" {
					t.Errorf("Request of a node that leaves = %v, %v", reply, err)
				}
			})
			testkit.Advance(time.Second)
			c.Leave(slices.Index([]*testkit.Node{c.Node(0), c.Node(1), c.Node(2), c.Node(3)}, n))
			work.Wait()
		}
	}, testkit.WithKinds(slow))
}

package cluster_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// events notes what is told of members on a node.
type events struct {
	mu    sync.Mutex
	lines []string
}

func eventsOf(n *testkit.Node) *events {
	e := new(events)
	synctest.Wait() // events come after the view that they are about
	n.System().Events().Subscribe(func(event any) {
		e.mu.Lock()
		defer e.mu.Unlock()
		switch m := event.(type) {
		case *cluster.MemberJoined:
			e.lines = append(e.lines, fmt.Sprintf("joined %s %s", m.Member.Address, m.Member.Status))
		case *cluster.MemberLeft:
			e.lines = append(e.lines, fmt.Sprintf("left %s %s", m.Member.Address, m.Member.Status))
		}
	})
	return e
}

func (e *events) take() []string {
	synctest.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	lines := e.lines
	e.lines = nil
	return lines
}

func TestEvents_JoinedAndLeft(t *testing.T) {
	testkit.Run(t, 1, func(t *testing.T, c *testkit.Cluster) {
		e := eventsOf(c.Node(0))
		expect := func(want ...string) {
			t.Helper()
			if got := e.take(); !slices.Equal(got, want) {
				t.Errorf("events = %q, want %q", got, want)
			}
		}
		c.Add()
		expect("joined 10.0.0.2:8090 up")
		c.Add()
		expect("joined 10.0.0.3:8090 up")
		c.Leave(1)
		expect("left 10.0.0.2:8090 down")
		c.Crash(2)
		testkit.Advance(2 * time.Second)
		expect()
		testkit.Advance(2 * time.Second)
		expect("left 10.0.0.3:8090 down")
		c.AddClient()
		expect()
	})
}

func TestViews_ShowTheStatusesInOrder(t *testing.T) {
	testkit.Run(t, 1, func(t *testing.T, c *testkit.Cluster) {
		n := c.New()
		var seen []string
		var epochs []uint64
		var watch sync.WaitGroup
		ctx := within(t, time.Minute)
		watch.Go(func() {
			for view := range c.Node(0).Views(ctx) {
				epochs = append(epochs, view.Epoch)
				if m, ok := view.Member(n.System().ID()); ok && !slices.Contains(seen, m.Status.String()) {
					seen = append(seen, m.Status.String())
				} else if !ok && len(seen) > 0 {
					return
				}
			}
		})
		if err := n.Join(ctx); err != nil {
			t.Fatal(err)
		}
		testkit.Advance(time.Second)
		if err := n.Leave(ctx); err != nil {
			t.Error(err)
		}
		watch.Wait()
		// Views may skip one that was replaced at once.
		if !slices.Equal(seen, []string{"joining", "up", "leaving"}) && !slices.Equal(seen, []string{"up", "leaving"}) {
			t.Errorf("statuses = %q, want them in order", seen)
		}
		if !slices.IsSorted(epochs) || len(slices.Compact(epochs)) != len(epochs) {
			t.Errorf("epochs = %v, want them to grow", epochs)
		}
	})
}

func TestViews_EndWithTheNode(t *testing.T) {
	testkit.Run(t, 1, func(t *testing.T, c *testkit.Cluster) {
		var watch sync.WaitGroup
		watch.Go(func() {
			for range c.Node(0).Views(t.Context()) {
			}
		})
		c.Leave(0)
		watch.Wait()
	})
}

func TestView_AgreesOnAllMembers(t *testing.T) {
	l := newLedger()
	testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
		want := fmt.Sprint(c.Node(0).View().Members)
		for _, n := range c.Nodes() {
			if got := fmt.Sprint(n.View().Members); got != want {
				t.Errorf("members = %v, want %v", got, want)
			}
			if !slices.IsSortedFunc(n.View().Members, func(a, b cluster.Member) int { return slices.Compare([]byte(a.ID), []byte(b.ID)) }) {
				t.Errorf("members are not sorted: %v", n.View().Members)
			}
			for _, m := range n.View().Members {
				if !m.Hosts("user") || m.Hosts("other") {
					t.Errorf("kinds of %s = %v, want user", m.Address, m.Kinds)
				}
			}
		}
		testkit.Advance(time.Minute)
		if epoch := c.Node(0).View().Epoch; epoch > 6 {
			t.Errorf("epoch = %d, want no view that changes nothing", epoch)
		}
	}, testkit.WithKinds(l.kind("user")))
}

// A crashed node that is started again is another member at the same address,
// which may be seen before its former self has expired.
func TestView_HasOneMemberAtAnAddress(t *testing.T) {
	l := newLedger()
	testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
		old := c.Node(2).System().ID()
		c.Kill(2)
		n := c.Restart(2)
		testkit.Advance(time.Millisecond)
		for _, node := range c.Nodes() {
			if _, ok := node.View().Member(old); ok {
				t.Errorf("the view has the former self of a restarted member: %v", node.View().Members)
			}
			for i := range 20 {
				ask(t, node, user(fmt.Sprint(i)), "where")
			}
		}
		if n.System().ID() == old {
			t.Errorf("the restarted member has its old ID")
		}
	}, testkit.WithKinds(l.kind("user")))
}

package cluster_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

func TestGossip_ConvergesOnMembersAndClients(t *testing.T) {
	l := newLedger()
	testkit.Run(t, 7, func(t *testing.T, c *testkit.Cluster) {
		client := c.AddClient()
		want := make(map[string]int)
		for i := range 100 {
			want[c.Node(c.NodeOf(c.Node(0), user(fmt.Sprint(i)))).System().ID()]++
		}
		testkit.Advance(10 * time.Second)
		for _, n := range append(c.Nodes(), client) {
			loads := n.Loads()
			if len(loads) != 7 {
				t.Errorf("%s has heard of %d members, want 7", n.System().Address(), len(loads))
			}
			for id, load := range loads {
				if got := load.Activations["user"]; got != want[id] {
					t.Errorf("%s has heard that %s hosts %d, want %d", n.System().Address(), id, got, want[id])
				}
				if load.Heartbeat == 0 || load.Pressure < 0 {
					t.Errorf("load of %s = %+v", id, load)
				}
			}
		}
		before := c.Node(0).Loads()
		testkit.Advance(10 * time.Second)
		for id, load := range c.Node(0).Loads() {
			if got, was := load.Heartbeat, before[id].Heartbeat; got < was+5 {
				t.Errorf("heartbeat of %s went from %d to %d in ten seconds", id, was, got)
			}
		}
	}, testkit.WithKinds(l.kind("user")))
}

func TestGossip_ForgetsWhoLeft(t *testing.T) {
	testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
		testkit.Advance(10 * time.Second)
		gone := c.Node(2).System().ID()
		c.Crash(2)
		testkit.Advance(time.Minute)
		for _, n := range c.Nodes() {
			if _, known := n.Loads()[gone]; known || len(n.Loads()) != 2 {
				t.Errorf("loads = %v, want those of the two that are left", n.Loads())
			}
		}
	})
}

func TestLoads_BeforeJoin(t *testing.T) {
	testkit.Run(t, 1, func(t *testing.T, c *testkit.Cluster) {
		if got := c.New().Loads(); len(got) != 0 {
			t.Errorf("Loads before Join = %v", got)
		}
	})
}

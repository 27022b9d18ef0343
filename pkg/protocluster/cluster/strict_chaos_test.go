package cluster_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/partition"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// TestStrict_Chaos lets every fault of the network, the store and the nodes
// happen at random while all nodes ask, and has the referee watch. The faults are
// those of the seed; the order of goroutines is not.
func TestStrict_Chaos(t *testing.T) {
	seeds, torments := 3, 10
	if testing.Short() {
		seeds, torments = 1, 5
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			r := newReferee()
			testkit.Run(t, 5, func(t *testing.T, c *testkit.Cluster) {
				rampage(t, c, r, rand.New(rand.NewPCG(uint64(seed), 4)), torments)
			}, testkit.WithLookup(partition.New()), testkit.WithKinds(r.kind("user")))
		})
	}
}

func rampage(t *testing.T, c *testkit.Cluster, r *referee, rng *rand.Rand, torments int) {
	ids := users(25)
	var asking sync.WaitGroup
	var stop atomic.Bool
	var answers, refusals atomic.Int64
	for i, n := range c.Nodes() {
		asking.Go(func() {
			for round := i; !stop.Load(); round++ {
				_, err := n.Request(within(t, 500*time.Millisecond), ids[round%len(ids)], "visit")
				switch {
				case err == nil:
					answers.Add(1)
				case errors.Is(err, cluster.ErrClosed):
					return
				default:
					refusals.Add(1)
				}
				<-time.After(20 * time.Millisecond)
			}
		})
	}
	for range torments {
		torment(c, rng)
	}
	stop.Store(true)
	asking.Wait()
	testkit.Advance(3 * time.Second)
	c.AwaitMembers(len(c.Nodes()))
	for _, n := range c.Nodes() {
		for _, id := range ids {
			if _, err := n.Request(within(t, 3*time.Second), id, "visit", cluster.Idempotent()); err != nil {
				t.Errorf("Request(%s) after all is well again: %v", id, err)
			}
		}
		if stats := n.Stats(); stats.Violations > 0 {
			t.Errorf("a node counts %d violations of the protocol", stats.Violations)
		}
	}
	if answers.Load() < int64(20*torments) {
		t.Errorf("%d answers and %d refusals, want most of the time an answer", answers.Load(), refusals.Load())
	}
	r.check(t)
}

// torment breaks something for a while and mends it.
func torment(c *testkit.Cluster, rng *rand.Rand) {
	i, j := rng.IntN(5), rng.IntN(5)
	span := time.Duration(100+rng.IntN(5000)) * time.Millisecond
	var mend func()
	switch rng.IntN(6) {
	case 0:
		c.Pause(i)
		mend = func() { c.Resume(i) }
	case 1:
		c.Partition(i, j)
		mend = func() { c.Heal(i, j) }
	case 2:
		id := c.Node(i).System().ID()
		c.Agent.Store().Stall(id)
		mend = func() { c.Agent.Store().Heal(id) }
	case 3:
		c.Agent.Store().Stall()
		mend = func() { c.Agent.Store().Heal() }
	case 4:
		id := c.Node(i).System().ID()
		c.Agent.Store().LoseNext(3, id)
		c.Pause(j)
		mend = func() { c.Resume(j); c.Agent.Store().Heal(id) }
	case 5:
		c.Kill(i)
		mend = func() { c.Restart(i) }
	}
	testkit.Advance(span)
	mend()
	testkit.Advance(time.Duration(rng.IntN(3000)) * time.Millisecond)
}

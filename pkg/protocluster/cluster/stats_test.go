package cluster_test

import (
	"errors"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/partition"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

func TestStats_CountHowRequestsEnd(t *testing.T) {
	l := newLedger()
	testkit.Run(t, 1, func(t *testing.T, c *testkit.Cluster) {
		n := c.Node(0)
		ask(t, n, user("1"), "who")
		if _, err := n.Request(within(t, time.Second), user("1"), "fail"); err == nil {
			t.Fatal("the virtual actor's error is not returned")
		}
		if _, err := n.Request(within(t, time.Second), user("1"), "stop"); err != nil {
			t.Fatal(err)
		}
		_, err := n.Request(within(t, 3*time.Second), user("1"), new(actor.Stopping)) // which nobody answers
		if !errors.Is(err, actor.ErrUnknownOutcome) {
			t.Fatalf("the error is %v, want one of an unknown outcome", err)
		}
		s := n.Stats()
		if s.Requests != 4 || s.Failures != 2 || s.Unknown != 1 || s.Latency.Total() != 4 {
			t.Errorf("the stats are %d requests, %d failures, %d unknown, %d latencies; want 4, 2, 1, 4",
				s.Requests, s.Failures, s.Unknown, s.Latency.Total())
		}
		if longest := s.Latency.Quantile(1); longest < 2*time.Second || longest > 5*time.Second { // within its bucket
			t.Errorf("the longest took %v, want about 3 s", longest)
		}
	}, testkit.WithKinds(l.kind("user")))
}

func TestStats_TellWhatIsLeftOfTheLease(t *testing.T) {
	l := newLedger()
	testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
		testkit.Advance(time.Second)
		if left := c.Node(0).Stats().Lease; left <= 0 || left > time.Second {
			t.Errorf("the lease is %v, want up to a second", left)
		}
		client := c.AddClient()
		if left := client.Stats().Lease; left != 0 {
			t.Errorf("a client has a lease of %v", left)
		}
		c.Pause(0)
		testkit.Advance(5 * time.Second)
		if left := c.Node(0).Stats().Lease; left != 0 {
			t.Errorf("a member that heard nobody for 5 s has a lease of %v", left)
		}
		c.Resume(0)
	}, testkit.WithKinds(l.kind("user")), testkit.WithLookup(partition.New()))
}

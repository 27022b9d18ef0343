package cluster_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/partition"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// A kind is strict on all members or on none: who would have it otherwise is told
// so at once, and the others go on.
func TestJoin_RefusesAKindThatIsStrictElsewhere(t *testing.T) {
	strictly(t, func(t *testing.T, c *testkit.Cluster) {
		start := time.Now()
		err := c.New(func(c *cluster.Config) { c.Kinds[0].Consistency = cluster.OneInTheEnd }).Join(within(t, time.Minute))
		mixed, ok := errors.AsType[*cluster.MixedKindError](err)
		if !ok || mixed.Kind != "user" || mixed.Strict || time.Since(start) > 3*time.Second {
			t.Fatalf("Join = %v after %v, want a MixedKindError about user at once", err, time.Since(start))
		}
		if want := `kind "user" is eventual here and strict on member ` + mixed.Member.ID; !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
		if _, err := c.Node(0).Request(within(t, time.Second), users(1)[0], "visit"); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

func TestJoin_RefusesAKindThatIsEventualElsewhere(t *testing.T) {
	r := newReferee()
	eventual := r.kind("user")
	eventual.Consistency = cluster.OneInTheEnd
	testkit.Run(t, 2, func(t *testing.T, c *testkit.Cluster) {
		err := c.New(func(c *cluster.Config) { c.Kinds = []cluster.Kind{r.kind("user")} }).Join(within(t, time.Minute))
		if mixed, ok := errors.AsType[*cluster.MixedKindError](err); !ok || mixed.Kind != "user" || !mixed.Strict {
			t.Errorf("Join = %v, want that user is strict here only", err)
		}
		other := c.New(func(c *cluster.Config) { c.Kinds = []cluster.Kind{r.kind("cart")} })
		if err := other.Join(within(t, time.Minute)); err != nil {
			t.Errorf("Join of a member with another kind = %v", err)
		}
	}, testkit.WithLookup(partition.New()), testkit.WithKinds(eventual))
}

// Of two that start at once, before either has seen the other, one gets in.
func TestJoin_OneOfTwoThatDiffer(t *testing.T) {
	r := newReferee()
	testkit.Run(t, 1, func(t *testing.T, c *testkit.Cluster) {
		errs := make(chan error)
		for _, kind := range []cluster.Consistency{cluster.OneAtMost, cluster.OneInTheEnd} {
			n := c.New(func(c *cluster.Config) {
				c.Kinds = []cluster.Kind{r.kind("cart")}
				c.Kinds[0].Consistency = kind
			})
			go func() { errs <- n.Join(within(t, time.Minute)) }()
		}
		first, second := <-errs, <-errs
		if _, mixed := errors.AsType[*cluster.MixedKindError](errors.Join(first, second)); !mixed || first != nil && second != nil {
			t.Errorf("Join = %v and %v, want one to be refused", first, second)
		}
	}, testkit.WithLookup(partition.New()), testkit.WithKinds(r.kind("user")))
}

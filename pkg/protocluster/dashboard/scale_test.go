package dashboard_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/disthash"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// crowd has n users live in a cluster.
func crowd(t testing.TB, client *testkit.Node, n int) {
	t.Helper()
	var activating sync.WaitGroup
	const each = 64
	for first := range each {
		activating.Go(func() {
			for i := first; i < n; i += each {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				_, err := client.Locate(ctx, user(i))
				cancel()
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	activating.Wait()
}

// However many identities there are, a browser gets no more than so many bytes, and
// draws no more than so many dots.
func scale(t *testing.T, members, identities int) {
	open(t, members, func(g *gallery) {
		crowd(g.t, g.client, identities)
		testkit.Advance(10 * time.Second)
		l := g.look()
		if l.state.Identities != identities || len(l.state.Members) != members {
			t.Fatalf("the page shows %d identities on %d members, want %d on %d", l.state.Identities, len(l.state.Members), identities, members)
		}
		dots := dotsOf(t, l)
		if len(dots) > 2048 || len(dots) < 512 {
			t.Errorf("%d dots, want 512 to 2,048", len(dots))
		}
		if stands := float64(len(dots) * l.state.Each); stands < 0.85*float64(identities) || stands > 1.15*float64(identities) {
			t.Errorf("%d dots stand for %d each, which is not about %d", len(dots), l.state.Each, identities)
		}
		// It begins with everything, and tells the state four times.
		t.Logf("%d identities on %d members: %d dots, %d bytes in the first second", identities, members, len(dots), l.bytes)
		if most := 120<<10 + 5*1024*members; l.bytes > most {
			t.Errorf("%d bytes in the first second, want at most %d", l.bytes, most)
		}
	}, func(c *galleryConfig) {
		c.lookup, c.kind, c.reporter.Names = disthash.New(), users(cluster.Eventual()), false
	})
}

func TestScale(t *testing.T) {
	if testing.Short() {
		scale(t, 5, 3_000)
		return
	}
	scale(t, 10, 20_000)
}

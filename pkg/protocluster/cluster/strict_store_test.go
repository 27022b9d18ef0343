package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/test"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/partition"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// strictly runs f with three members whose kind "user" is strict, and has the
// referee check what happened.
func strictly(t *testing.T, f func(t *testing.T, c *testkit.Cluster)) {
	t.Helper()
	r := newReferee()
	testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
		testkit.Advance(2 * time.Second) // the store is trusted after a while
		f(t, c)
		r.check(t)
	}, testkit.WithLookup(partition.New()), testkit.WithKinds(r.kind("user")))
}

// visitAll asks all ids from all nodes and returns the errors.
func visitAll(t *testing.T, c *testkit.Cluster, ids []cluster.Identity, patience time.Duration) (errs []error) {
	t.Helper()
	for _, n := range c.Nodes() {
		for _, id := range ids {
			if _, err := n.Request(within(t, patience), id, "visit", cluster.Idempotent()); err != nil {
				errs = append(errs, err)
			}
		}
	}
	return errs
}

func TestStrict_StoreLostForAMinuteStopsNobody(t *testing.T) {
	strictly(t, func(t *testing.T, c *testkit.Cluster) {
		ids := users(6)
		c.Agent.Store().Stall()
		for end := time.Now().Add(65 * time.Second); time.Now().Before(end); testkit.Advance(time.Second) {
			if errs := visitAll(t, c, ids, time.Second); len(errs) > 0 {
				t.Fatalf("without the store: %v", errs[0])
			}
		}
		if out := c.Node(0).Stats().StoreOut; out.IsZero() {
			t.Error("Stats do not say that the store is out")
		}
		c.Agent.Store().Heal()
		testkit.Advance(2 * time.Second)
		stats := c.Node(0).Stats()
		if !stats.StoreOut.IsZero() || stats.Lapses > 0 || stats.Evictions > 0 {
			t.Errorf("Stats = %+v, want a store that is back, and no lapse or eviction", stats)
		}
	})
}

func TestStrict_StoreLostForLongerFencesUntilItIsBack(t *testing.T) {
	strictly(t, func(t *testing.T, c *testkit.Cluster) {
		ids := users(5)
		if errs := visitAll(t, c, ids, time.Second); len(errs) > 0 {
			t.Fatal(errs[0])
		}
		c.Agent.Store().Stall()
		testkit.Advance(80 * time.Second)
		if errs := visitAll(t, c, ids, 300*time.Millisecond); len(errs) != 3*len(ids) {
			t.Errorf("%d of %d requests failed although nobody has had evidence of the view for 80s", len(errs), 3*len(ids))
		}
		c.Agent.Store().Heal()
		testkit.Advance(3 * time.Second)
		for _, err := range visitAll(t, c, ids, 3*time.Second) {
			t.Errorf("after the store is back: %v", err)
		}
		if lapses := c.Node(0).Stats().Lapses; lapses == 0 {
			t.Error("Stats count no lapse")
		}
	})
}

// What somebody does to the record by hand, and whether the cluster has to have
// mended it by itself.
func TestStrict_RecordSpoiltByHand(t *testing.T) {
	rows := []struct {
		name  string
		spoil func(s *testkit.ViewStore, before cluster.Record)
	}{
		{"deleted", func(s *testkit.ViewStore, _ cluster.Record) { s.Overwrite("testkit", nil) }},
		{"garbage", func(s *testkit.ViewStore, _ cluster.Record) { s.Overwrite("testkit", []byte("\x00{no view")) }},
		{"empty", func(s *testkit.ViewStore, _ cluster.Record) { s.Overwrite("testkit", []byte{}) }},
		{"another cluster's", func(s *testkit.ViewStore, before cluster.Record) {
			s.Overwrite("testkit", []byte(strings.Replace(string(before.Data), `"cluster":"`, `"cluster":"x`, 1)))
		}},
		{"an older view, as a backup has it", func(s *testkit.ViewStore, before cluster.Record) { s.Restore("testkit", before) }},
		{"all state lost", func(s *testkit.ViewStore, _ cluster.Record) { s.Reset() }},
	}
	rounds := 50
	if testing.Short() {
		rounds = 15
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			strictly(t, func(t *testing.T, c *testkit.Cluster) {
				ids := users(20)
				before := c.Agent.Store().Record("testkit")
				c.Add()
				c.AwaitMembers(4)
				if errs := visitAll(t, c, ids, 3*time.Second); len(errs) > 0 {
					t.Fatal(errs[0])
				}
				row.spoil(c.Agent.Store(), before)
				for range rounds {
					visitAll(t, c, ids[:3], 100*time.Millisecond)
					testkit.Advance(100 * time.Millisecond)
				}
				testkit.Advance(10 * time.Second)
				c.AwaitMembers(4)
				for _, err := range visitAll(t, c, ids, 3*time.Second) {
					t.Errorf("after the record was spoilt and mended: %v", err)
				}
			})
		})
	}
}

func TestStrict_UnreachableStoreIsNamedByJoin(t *testing.T) {
	testkit.Run(t, 0, func(t *testing.T, c *testkit.Cluster) {
		c.Agent.Store().FailNext(1000)
		for name, begin := range map[string]func(*cluster.Cluster, context.Context) error{"Join": (*cluster.Cluster).Join, "Connect": (*cluster.Cluster).Connect} {
			start := time.Now()
			err := begin(c.New().Cluster, within(t, 5*time.Second))
			if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(fmt.Sprint(err), "memstore: ") {
				t.Errorf("%s = %v, want the end of the context and what the store said", name, err)
			}
			if took := time.Since(start); took < 5*time.Second {
				t.Errorf("%s gave up after %v, want it to go on trying", name, took)
			}
		}
	}, testkit.WithLookup(partition.New()))
}

// A store that does not permit a node what it needs ends the join at once.
func TestStrict_DeniedJoinEndsAtOnce(t *testing.T) {
	testkit.Run(t, 0, func(t *testing.T, c *testkit.Cluster) {
		for name, begin := range map[string]func(*cluster.Cluster, context.Context) error{"Join": (*cluster.Cluster).Join, "Connect": (*cluster.Cluster).Connect} {
			start := time.Now()
			n := c.New(func(config *cluster.Config) { config.Provider = denies{config.Provider.(*test.Provider)} })
			err := begin(n.Cluster, within(t, time.Minute))
			if !errors.Is(err, cluster.ErrDenied) || time.Since(start) > 3*time.Second {
				t.Errorf("%s = %v after %v, want ErrDenied at once", name, err, time.Since(start))
			}
		}
	}, testkit.WithLookup(partition.New()))
}

// denies is a view store that permits nothing.
type denies struct{ *test.Provider }

func (d denies) OpenStore(node cluster.Node) (cluster.Store, error) {
	store, err := d.Provider.OpenStore(node)
	return deniedStore{store}, err
}

func (d denies) Run(ctx context.Context, node cluster.Node) error {
	store, err := d.OpenStore(node)
	if err != nil {
		return err
	}
	return cluster.Keep(ctx, node, store)
}

type deniedStore struct{ cluster.Store }

func (deniedStore) Read(context.Context) (cluster.Record, error) {
	return cluster.Record{}, fmt.Errorf("the token lacks a rule: %w", cluster.ErrDenied)
}

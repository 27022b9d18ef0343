package testkit

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

func three() [][]string { return [][]string{{"user"}, {"user"}, {"user"}} }

func lookupAgreement(t *testing.T, lookup cluster.IdentityLookup) {
	all := newLookupHosts(t, lookup, three()...)
	ids := identities("user", 300)
	want := all.locate(all.hosts[0], ids)
	for _, h := range all.hosts[1:] {
		if got := all.locate(h, ids); !maps.Equal(got, want) {
			t.Errorf("%s places 300 identities otherwise than %s", h.self.ID, all.hosts[0].self.ID)
		}
	}
	for _, h := range all.hosts {
		if got := len(h.active); got < 50 {
			t.Errorf("%s has %d of 300 identities, want a fair share of them", h.self.ID, got)
		}
	}
}

func lookupServe(t *testing.T, lookup cluster.IdentityLookup) {
	all := newLookupHosts(t, lookup, three()...)
	for id, home := range all.locate(all.hosts[0], identities("user", 50)) {
		for _, h := range all.hosts {
			starts := h.starts
			pid, err := h.locator.Serve(t.Context(), id)
			if h.self.Address != home && h.starts != starts {
				t.Errorf("Serve(%s) on %s activated it, and it lives on %s", id, h.self.Address, home)
			}
			moved, refused := errors.AsType[*cluster.MovedError](err)
			switch {
			case h.self.Address == home && (err != nil || pid.Address != home):
				t.Errorf("Serve(%s) on its owner = %v, %v, want it there", id, pid, err)
			case h.self.Address != home && (!refused || moved.Owner.Address != home || !errors.Is(err, actor.ErrNotDelivered)):
				t.Errorf("Serve(%s) on %s = %v, %v, want a MovedError to %s", id, h.self.Address, pid, err, home)
			}
		}
	}
}

func lookupNobody(t *testing.T, lookup cluster.IdentityLookup) {
	all := newLookupHosts(t, lookup, three()[:2]...)
	id := cluster.Identity{Kind: "order", Identity: "1"}
	_, err := all.hosts[0].locator.Locate(t.Context(), id)
	if nobody, ok := errors.AsType[*cluster.NoHostError](err); !ok || nobody.ID != id || len(nobody.Members) != 2 {
		t.Errorf("Locate(%s) = %v, want a NoHostError with both members", id, err)
	}
}

func lookupKinds(t *testing.T, lookup cluster.IdentityLookup) {
	all := newLookupHosts(t, lookup, []string{"user"}, []string{"order", "user"}, nil)
	for kind, want := range map[string][]string{"order": {NodeAddress(1)}, "user": {NodeAddress(0), NodeAddress(1)}} {
		homes := slices.Sorted(maps.Values(all.locate(all.hosts[2], identities(kind, 100))))
		if got := slices.Compact(homes); !slices.Equal(got, want) {
			t.Errorf("%q lives on %v, want %v", kind, got, want)
		}
	}
}

func lookupLeave(t *testing.T, lookup cluster.IdentityLookup) {
	all := newLookupHosts(t, lookup, three()...)
	before := all.locate(all.hosts[0], identities("user", 300))
	leaver := all.hosts[2].self
	leaving := leaver
	leaving.Status = cluster.Leaving
	for _, members := range [][]cluster.Member{{all.hosts[0].self, all.hosts[1].self, leaving}, {all.hosts[0].self, all.hosts[1].self}} {
		all.show(members...)
		for id, home := range all.locate(all.hosts[0], identities("user", 300)) {
			if home == leaver.Address {
				t.Errorf("%s lives on a member that leaves", id)
			}
			if was := before[id]; was != leaver.Address && was != home {
				t.Errorf("%s moved from %s to %s, neither of which leaves", id, was, home)
			}
		}
	}
}

func lookupJoin(t *testing.T, lookup cluster.IdentityLookup) {
	all := newLookupHosts(t, lookup, three()...)
	joiner := all.hosts[2].self
	all.show(all.hosts[0].self, all.hosts[1].self)
	before := all.locate(all.hosts[0], identities("user", 300))
	joining := joiner
	joining.Status = cluster.Joining
	all.show(all.hosts[0].self, all.hosts[1].self, joining)
	if got := all.locate(all.hosts[0], identities("user", 300)); !maps.Equal(got, before) {
		t.Errorf("identities moved to a member that is not up yet")
	}
	all.show(all.hosts[0].self, all.hosts[1].self, joiner)
	for id, home := range all.locate(all.hosts[0], identities("user", 300)) {
		if was := before[id]; was != home && home != joiner.Address {
			t.Errorf("%s moved from %s to %s, which did not join", id, was, home)
		}
	}
}

func lookupEvicts(t *testing.T, lookup cluster.IdentityLookup) {
	all := newLookupHosts(t, lookup, three()...)
	all.show(all.hosts[0].self, all.hosts[1].self)
	ids := identities("user", 300)
	all.locate(all.hosts[0], ids)
	all.show(all.hosts[0].self, all.hosts[1].self, all.hosts[2].self)
	homes := all.locate(all.hosts[1], ids)
	for _, h := range all.hosts {
		for id := range h.active {
			if homes[id] != h.self.Address {
				t.Errorf("%s is still active on %s, and lives on %s", id, h.self.Address, homes[id])
			}
		}
	}
}

func lookupMoves(t *testing.T, lookup cluster.IdentityLookup) {
	all := newLookupHosts(t, lookup, three()...)
	ids, members := identities("user", 300), all.view.Members
	after := all.locate(all.hosts[1], ids)
	all.show(members[:2]...)
	for id, home := range all.locate(all.hosts[1], ids) {
		if home != members[0].Address || after[id] != members[2].Address {
			continue
		}
		all.hosts[0].Retain(func(cluster.Identity) bool { return false })
		all.hosts[0].during = func() { all.show(members...) }
		pid, err := all.hosts[0].locator.Locate(t.Context(), id)
		if _, moved := errors.AsType[*cluster.MovedError](err); !moved || all.hosts[0].active[id] {
			t.Errorf("Locate(%s) = %v, %v while it moves away, want a MovedError and nothing active", id, pid, err)
		}
		return
	}
	t.Fatal("none of 300 identities moves to a third member")
}

func lookupOne(t *testing.T, lookup cluster.IdentityLookup) {
	grains := &lookupGrains{pause: map[string]time.Duration{"0": 100 * time.Millisecond}}
	c := grains.cluster(t, lookup, 3)
	var callers sync.WaitGroup
	var homes sync.Map
	for i := range 100 {
		callers.Go(func() {
			home, err := c.Node(i%3).Request(t.Context(), identities("user", 1)[0], "where")
			if err != nil {
				t.Errorf("Request: %v", err)
			}
			homes.Store(home, true)
		})
	}
	callers.Wait()
	count := 0
	homes.Range(func(any, any) bool { count++; return true })
	if grains.started.Load() != 1 || grains.handled.Load() != 100 || count != 1 {
		t.Errorf("%d activations at %d places handled %d messages, want one that handled 100",
			grains.started.Load(), count, grains.handled.Load())
	}
}

func lookupFailed(t *testing.T, lookup cluster.IdentityLookup) {
	grains := new(lookupGrains)
	grains.broken.Store(true)
	c := grains.cluster(t, lookup, 3)
	for i, n := range c.Nodes() {
		_, err := n.Request(t.Context(), identities("user", 1)[0], "where")
		if failed, ok := errors.AsType[*cluster.ActivationError](err); !ok || !strings.Contains(failed.Error(), "broken") {
			t.Errorf("Request = %v, want an ActivationError with the reason", err)
		}
		if got, want := grains.started.Load(), int64(i+1); got != want {
			t.Errorf("%d tries to activate, want %d: one for each request", got, want)
		}
	}
	grains.broken.Store(false)
	for _, n := range c.Nodes() {
		if _, err := n.Request(t.Context(), identities("user", 1)[0], "where"); err != nil {
			t.Errorf("Request after the cause was removed: %v", err)
		}
	}
}

func lookupGiveUp(t *testing.T, lookup cluster.IdentityLookup) {
	grains := &lookupGrains{pause: map[string]time.Duration{"0": time.Second}}
	c := grains.cluster(t, lookup, 3)
	id := identities("user", 1)[0]
	home := c.NodeOf(c.Node(0), id)
	other := c.Node(slices.IndexFunc(c.Nodes(), func(n *Node) bool { return n != c.Node(0) && n != c.Node(home) })) // which has to ask
	if err := c.Node(home).Send(t.Context(), id, &actor.PoisonPill{}); err != nil {
		t.Fatal(err)
	}
	Advance(time.Second)
	var callers sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	callers.Go(func() {
		if _, err := other.Locate(ctx, id); !errors.Is(err, context.Canceled) {
			t.Errorf("Locate of a caller that gave up = %v, want context.Canceled", err)
		}
	})
	synctest.Wait()
	callers.Go(func() {
		if _, err := other.Locate(t.Context(), id); err != nil {
			t.Errorf("Locate beside a caller that gives up: %v", err)
		}
	})
	synctest.Wait()
	cancel()
	callers.Wait()
	if got := grains.started.Load(); got != 2 {
		t.Errorf("%d activations, want the two that were asked for", got)
	}
}

func lookupSlow(t *testing.T, lookup cluster.IdentityLookup) {
	ids := identities("user", 100)
	grains := &lookupGrains{pause: map[string]time.Duration{ids[0].Identity: time.Minute}}
	c := grains.cluster(t, lookup, 3)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var slow sync.WaitGroup
	for _, n := range c.Nodes() {
		slow.Go(func() {
			if _, err := n.Locate(ctx, ids[0]); err != nil {
				t.Errorf("Locate of a slow identity: %v", err)
			}
		})
	}
	begin := time.Now()
	for _, n := range c.Nodes() {
		for _, id := range ids[1:] {
			if _, err := n.Locate(t.Context(), id); err != nil {
				t.Fatalf("Locate(%s) beside a slow identity: %v", id, err)
			}
		}
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("99 identities took %v beside a slow one, want no delay", took)
	}
	slow.Wait()
}

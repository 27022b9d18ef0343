package testkit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// TestLookup tests what every cluster.IdentityLookup promises: first its
// Locators alone, on hosts that do nothing, then in a cluster.
func TestLookup(t *testing.T, lookup func(t testing.TB) cluster.IdentityLookup) {
	tests := []struct {
		name string
		run  func(t *testing.T, lookup cluster.IdentityLookup)
	}{
		{"all members agree", lookupAgreement},
		{"a member serves what it owns only", lookupServe},
		{"nobody hosts the kind", lookupNobody},
		{"a kind lives where it is hosted", lookupKinds},
		{"only a leaver's identities move", lookupLeave},
		{"only a joiner's identities move", lookupJoin},
		{"what moved is evicted", lookupEvicts},
		{"what moves while it starts is evicted", lookupMoves},
		{"100 callers, one activation", lookupOne},
		{"a failed activation is told and forgotten", lookupFailed},
		{"a caller that gives up disturbs nobody", lookupGiveUp},
		{"a slow identity blocks no other", lookupSlow},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test.run(t, lookup(t)) })
		})
	}
}

// lookupHosts are members without a cluster, whose Locators are tested.
type lookupHosts struct {
	t     *testing.T
	view  *cluster.View
	hosts []*lookupHost
}

// lookupHost is a cluster.Host that activates by writing it down.
type lookupHost struct {
	all     *lookupHosts
	self    cluster.Member
	locator cluster.Locator

	mu     sync.Mutex
	active map[cluster.Identity]bool
	starts int
	during func() // each Activate, if not nil
}

var _ cluster.Host = (*lookupHost)(nil)

// newLookupHosts returns members that are up and host the kinds of the same
// place.
func newLookupHosts(t *testing.T, lookup cluster.IdentityLookup, kinds ...[]string) *lookupHosts {
	t.Helper()
	all := &lookupHosts{t: t, view: &cluster.View{}}
	var members []cluster.Member
	for i, k := range kinds {
		m := cluster.Member{ID: fmt.Sprint("member-", i), Address: NodeAddress(i), Kinds: k, Status: cluster.Up}
		members = append(members, m)
		h := &lookupHost{all: all, self: m, active: make(map[cluster.Identity]bool)}
		var err error
		if h.locator, err = lookup.Bind(h); err != nil {
			t.Fatalf("Bind: %v", err)
		}
		all.hosts = append(all.hosts, h)
		t.Cleanup(func() {
			if err := h.locator.Close(t.Context()); err != nil && t.Context().Err() == nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
	all.show(members...)
	return all
}

// show makes these the members.
func (a *lookupHosts) show(members ...cluster.Member) {
	a.view = &cluster.View{Epoch: a.view.Epoch + 1, Members: members}
	for _, h := range a.hosts {
		h.locator.Update(a.view)
	}
	synctest.Wait()
}

// locate asks host for where identities live, and checks that it is on one of
// the hosts.
func (a *lookupHosts) locate(h *lookupHost, ids []cluster.Identity) map[cluster.Identity]string {
	a.t.Helper()
	homes := make(map[cluster.Identity]string)
	for _, id := range ids {
		pid, err := h.locator.Locate(a.t.Context(), id)
		if err != nil {
			a.t.Fatalf("Locate(%s) on %s: %v", id, h.self.ID, err)
		}
		homes[id] = pid.Address
	}
	return homes
}

func (h *lookupHost) Self() cluster.Member { return h.self }
func (h *lookupHost) View() *cluster.View  { return h.all.view }

func (h *lookupHost) Activate(_ context.Context, id cluster.Identity) (*actor.PID, error) {
	if h.during != nil {
		h.during()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.active[id] = true
	h.starts++
	return actor.NewPID(h.self.Address, id.String()), nil
}

func (h *lookupHost) Ask(ctx context.Context, m cluster.Member, id cluster.Identity) (*actor.PID, error) {
	for _, other := range h.all.hosts {
		if other.self.ID == m.ID {
			return other.locator.Serve(ctx, id)
		}
	}
	return nil, errors.New("no such member")
}

func (h *lookupHost) Retain(keep func(cluster.Identity) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for id := range h.active {
		if !keep(id) {
			delete(h.active, id)
		}
	}
}

func identities(kind string, n int) []cluster.Identity {
	ids := make([]cluster.Identity, n)
	for i := range ids {
		ids[i] = cluster.Identity{Kind: kind, Identity: fmt.Sprint(i)}
	}
	return ids
}

// lookupGrains counts the activations of a cluster of its own, and has them
// fail or take their time.
type lookupGrains struct {
	started, handled atomic.Int64
	broken           atomic.Bool
	pause            map[string]time.Duration // in *Started, by identity
}

func (g *lookupGrains) receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		g.started.Add(1)
		id, _ := cluster.IdentityOf(ctx)
		if d := g.pause[id.Identity]; d > 0 {
			select {
			case <-time.After(d):
			case <-ctx.Done():
			}
		}
		if g.broken.Load() {
			panic("broken") //nolint:forbidigo // as a handler may
		}
	case string:
		g.handled.Add(1)
		ctx.Respond(ctx.Self().Address)
	}
}

func (g *lookupGrains) cluster(t *testing.T, lookup cluster.IdentityLookup, n int) *Cluster {
	t.Helper()
	kind := cluster.NewKind("user", actor.PropsFromFunc(g.receive))
	c := NewCluster(t, n, WithLookup(lookup), WithKinds(kind))
	t.Cleanup(c.Close)
	return c
}

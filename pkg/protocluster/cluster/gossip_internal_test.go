package cluster

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/clusterpb"
)

// A round is bounded however many members there are, always tells of oneself,
// and everybody is told of in the end.
func TestGossip_RoundsAreBounded(t *testing.T) {
	const members = 100
	dice := rand.New(rand.NewPCG(1, 2))
	view := &View{}
	nodes := make([]*gossip, members)
	for i := range nodes {
		id := fmt.Sprintf("member-%03d", i)
		view.Members = append(view.Members, Member{ID: id})
		nodes[i] = newGossip(id)
	}
	for round := range 30 {
		for i, g := range nodes {
			m := g.tell(&clusterpb.Load{})
			if len(m.Loads) > gossipBounds || m.Loads[0].Heartbeat != uint64(round+1) {
				t.Fatalf("round tells of %d members, first of %v; want %d at most and itself first", len(m.Loads), m.Loads[0], gossipBounds)
			}
			for range gossipPeers {
				nodes[(i+1+dice.IntN(members-1))%members].hear(m, view)
			}
		}
	}
	for _, g := range nodes {
		if got := len(g.all()); got != members {
			t.Errorf("%s has heard of %d members, want %d", g.self, got, members)
		}
	}
}

func TestGossip_IgnoresStrangersAndOldNews(t *testing.T) {
	g := newGossip("me")
	view := &View{Members: []Member{{ID: "me"}, {ID: "you"}}}
	hear := func(member string, heartbeat uint64) {
		g.hear(&clusterpb.Gossip{Loads: []*clusterpb.Load{{Member: member, Heartbeat: heartbeat}}}, view)
	}
	g.tell(&clusterpb.Load{})
	hear("you", 5)
	hear("you", 4)
	hear("stranger", 9)
	hear("me", 99)
	g.hear(nil, view)
	got := make(map[string]uint64)
	for _, l := range g.all() {
		got[l.GetMember()] = l.GetHeartbeat()
	}
	if len(got) != 2 || got["you"] != 5 || got["me"] != 1 {
		t.Errorf("knows %v, want me 1 and you 5", got)
	}
	g.retain(&View{Members: []Member{{ID: "me"}}})
	if len(g.all()) != 1 {
		t.Errorf("knows %v of a view without you", g.all())
	}
}

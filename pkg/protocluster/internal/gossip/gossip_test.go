package gossip_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/clusterpb"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gossip"
)

// A round is bounded however many members there are, always tells of oneself,
// and everybody is told of in the end.
func TestState_RoundsAreBounded(t *testing.T) {
	const members = 100
	dice := rand.New(rand.NewPCG(1, 2))
	nodes := make([]gossip.State, members)
	name := func(i int) string { return fmt.Sprintf("member-%03d", i) }
	for round := range 30 {
		for i := range nodes {
			m := nodes[i].Tell(name(i), &clusterpb.Load{})
			if len(m.Loads) > gossip.Most || m.Loads[0].Heartbeat != uint64(round+1) {
				t.Fatalf("round tells of %d members, first of %v; want %d at most and itself first", len(m.Loads), m.Loads[0], gossip.Most)
			}
			for range gossip.Peers {
				peer := (i + 1 + dice.IntN(members-1)) % members
				nodes[peer].Hear(m, func(member string) bool { return member != name(peer) })
			}
		}
	}
	for i := range nodes {
		if got := len(nodes[i].All()); got != members {
			t.Errorf("%s has heard of %d members, want %d", name(i), got, members)
		}
	}
}

func TestState_IgnoresStrangersAndOldNews(t *testing.T) {
	var s gossip.State
	hear := func(member string, heartbeat uint64) {
		s.Hear(&clusterpb.Gossip{Loads: []*clusterpb.Load{{Member: member, Heartbeat: heartbeat}}},
			func(member string) bool { return member == "you" })
	}
	s.Tell("me", &clusterpb.Load{})
	hear("you", 5)
	hear("you", 4)
	hear("stranger", 9)
	hear("me", 99)
	s.Hear(nil, nil)
	got := make(map[string]uint64)
	for _, l := range s.All() {
		got[l.GetMember()] = l.GetHeartbeat()
	}
	if len(got) != 2 || got["you"] != 5 || got["me"] != 1 {
		t.Errorf("knows %v, want me 1 and you 5", got)
	}
	s.Retain(func(member string) bool { return member == "me" })
	if all := s.All(); len(all) != 1 || all[0].GetMember() != "me" {
		t.Errorf("knows %v after the other has gone, want itself alone", all)
	}
}

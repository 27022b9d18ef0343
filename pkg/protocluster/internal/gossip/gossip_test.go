package gossip_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/clusterpb"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gossip"
)

// A round is bounded however many members there are, always tells of oneself,
// and everybody is told of in the end.
func TestState_RoundsAreBounded(t *testing.T) {
	const members = 100
	nodes := make([]gossip.State, members)
	name := func(i int) string { return fmt.Sprintf("member-%03d", i) }
	for round := range 31 { // nobody is told in the first
		for i := range nodes {
			m := nodes[i].Tell(name(i), &clusterpb.Load{})
			if len(m.Loads) > gossip.Most || m.Loads[0].Heartbeat != uint64(round+1) {
				t.Fatalf("round tells of %d members, first of %v; want %d at most and itself first", len(m.Loads), m.Loads[0], gossip.Most)
			}
			for _, peer := range nodes[i].Round(1, i, members) {
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

// Whom a member tells are few and always the same, and never itself.
func TestState_Round(t *testing.T) {
	rows := []struct {
		self, n int
		want    []int
	}{
		{0, 1, nil}, {-1, 3, nil}, {1, 2, []int{0}}, {2, 3, []int{0, 1}}, {0, 4, []int{1, 2, 3}}, {0, 5, []int{1, 4}}, {98, 100, []int{2, 14, 62, 99}},
	}
	for _, row := range rows {
		var got []int
		var s gossip.State
		for _, epoch := range []uint64{1, 2} {
			if first := s.Round(epoch, row.self, row.n); first != nil {
				t.Errorf("the first round of a view tells %v", first)
			}
		}
		for range 100 {
			round := s.Round(2, row.self, row.n)
			if len(round) != min(len(row.want), gossip.Peers) {
				t.Errorf("Round(%d, %d) = %v, want %d of %v", row.self, row.n, round, gossip.Peers, row.want)
			}
			got = append(got, round...)
		}
		slices.Sort(got)
		if got = slices.Compact(got); !slices.Equal(got, row.want) {
			t.Errorf("Round(%d, %d) picks among %v, want %v", row.self, row.n, got, row.want)
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

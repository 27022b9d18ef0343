package sealedview_test

import (
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

func TestLeave_GivesThePlaceAwayFirst(t *testing.T) {
	s := newStage(t)
	s.enter("a", "b", "c")
	s.activate("a")
	s.player("a").clings = true
	s.event(s.player("a"), sealedview.Leave{})
	s.until("a is leaving", func() bool { return s.members() == "a leaving, b, c" })
	s.advance(time.Second)
	if s.may("b") {
		t.Errorf("b may activate the identity while a still holds it")
	}
	s.player("a").clings = false
	s.host(s.player("a"), s.view)
	s.until("a is gone", func() bool { return s.members() == "b, c" && s.player("a").evicted })
	s.until("b may activate the identity", func() bool { return s.may("b") })
}

func TestLeave_TheLastOneLeavesNobody(t *testing.T) {
	s := newStage(t)
	s.enter("a")
	s.event(s.player("a"), sealedview.Leave{})
	took := s.until("a is gone", func() bool { return s.player("a").evicted })
	s.wantMembers("")
	if took > s.params.Lease {
		t.Errorf("the only member has left after %v", took)
	}
	s.enter("b")
	s.wantMembers("b")
	if s.view.Before.Epoch == 0 {
		t.Errorf("b has begun another cluster: %+v", s.view)
	}
}

// A member that has drained and cannot get out of the view, for the others are
// gone, does not pass for somebody who keeps the cluster up.
func TestLeave_DoesNotKeepAJoinerOut(t *testing.T) {
	s := newStage(t, func(p *sealedview.Params) { p.Store = 2 * time.Second })
	s.enter("a", "b", "c")
	s.applied = func(string) { s.crash("a", "c") }
	s.event(s.player("b"), sealedview.Leave{})
	s.until("b is leaving", func() bool { return s.members() == "a, b leaving, c" })
	s.applied = nil
	s.enter("d")
	s.wantMembers("d")
	s.until("b knows that it has left", func() bool { return s.player("b").evicted })
}

// All that are left want to leave, and without those who are gone none of them
// would leave a view behind in which somebody can grant leases. So they have to
// take those out first, drained as they are.
func TestLeave_TakesOutTheDeadFirst(t *testing.T) {
	s := newStage(t)
	s.enter("a", "b", "c", "d", "e", "f")
	s.applied = func(string) {
		if s.members() == "a leaving, b leaving, c leaving, d, e, f" {
			s.crash("d", "e", "f")
			s.cut([]string{"store"}, "a", "b", "c") // until it is known
		}
	}
	for _, id := range []string{"a", "b", "c"} {
		s.player(id).clings = true // nobody is drained before all are asked
		s.player(id).holds = true
		s.event(s.player(id), sealedview.Leave{})
	}
	s.until("all have been asked", func() bool { return s.player("d").down })
	s.advance(s.params.Suspect)
	for _, id := range []string{"a", "b", "c"} {
		s.player(id).clings = false
		s.host(s.player(id), s.player(id).View())
	}
	s.heal([]string{"store"}, "a", "b", "c")
	took := s.until("all have left", func() bool { return s.members() == "" && s.player("c").evicted })
	if most := 5 * time.Second; took > most {
		t.Errorf("it takes %v, want at most %v", took, most)
	}
}

package sealedview_test

import (
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

// forked leads a store that goes back into two views made of the same one, and
// reports whether q, which is in the first of them only, and y, which has got its
// place in the second, could both dispatch to the identity.
//
// It takes a member, p, that may remove both z and q, and another, a, that still
// hears q and removes z alone. Just after a has done that, p removes both, from
// the store's older record, with what is left of its lease.
func forked(t testing.TB, adjust func(*sealedview.Params)) bool {
	t.Helper()
	s := newStage(t, adjust, func(p *sealedview.Params) { p.Suspect = 600 * time.Millisecond })
	s.owner = s.first("z", "q", "y")
	s.enter("p", "a", "q", "y", "g", "z")
	s.activate("z")
	before := s.view

	s.crash("z")
	s.cut([]string{"q"}, "p", "y", "g")
	s.advance(900 * time.Millisecond) // all have accused whom they do not hear, and nobody may remove anyone yet
	s.cut([]string{"p"}, "store")
	s.applied = func(string) {
		s.applied = nil
		s.cut([]string{"p"}, "a", "y", "g")
		s.heal([]string{"q"}, "y", "g")
	}
	s.until("a has removed z", func() bool { return s.members() == "p, a, q, y, g" && s.may("q") })
	s.activate("q")

	s.cut([]string{"q"}, "a", "y", "g", "store")
	s.put(before)
	s.heal([]string{"p"}, "store")
	s.applied = func(author string) {
		s.applied = nil
		s.heal([]string{"p"}, "a", "y", "g")
		if author != "p" || s.members() != "p, a, y, g" {
			t.Errorf("%s makes a view of %s, want p to remove q and z", author, s.members())
		}
	}
	s.until("p has removed q and z", func() bool { return s.applied == nil })
	for range 1000 {
		if s.serves("q") && s.may("y") {
			return true
		}
		s.advance(step)
	}
	s.heal([]string{"q"}, "p", "a", "y", "g", "store")
	s.until("the others go on, on one view", func() bool { return s.onOneView("p", "a", "y", "g") })
	s.advance(time.Second)
	if s.serves("q") && s.player("q").holds && s.may("y") {
		t.Errorf("q and y serve the identity; members %s", s.members())
	}
	return false
}

func TestFork_OnlyOneOfTwoViewsIsSealed(t *testing.T) {
	if forked(t, func(*sealedview.Params) {}) {
		t.Errorf("two members can dispatch to the identity")
	}
	if !forked(t, sealedview.Protections()["no forks"]) {
		t.Errorf("it does not take the rule against forks to keep two members from dispatching to the identity")
	}
}

// unsealed has the author of a view not hear that it has made it, and reports
// whether it and a member of views after that could both dispatch to the identity.
func unsealed(t testing.TB, adjust func(*sealedview.Params)) bool {
	t.Helper()
	s := newStage(t, adjust)
	s.enter("a")
	s.activate("a")
	s.applied = func(string) {
		s.applied = nil
		s.cut([]string{"a"}, "b", "c", "store")
	}
	s.announce("b")
	s.until("a has admitted b", func() bool { return s.members() == "a, b" })
	s.announce("c")
	for range 2000 {
		if s.serves("a") && (s.may("b") || s.may("c")) {
			return true
		}
		s.advance(step)
	}
	return false
}

func TestSeal_NobodyServesBeforeTheViewBeforeIsLeft(t *testing.T) {
	if unsealed(t, func(*sealedview.Params) {}) {
		t.Errorf("two members can dispatch to the identity")
	}
	if !unsealed(t, sealedview.Protections()["sealing"]) {
		t.Errorf("it does not take seals to keep two members from dispatching to the identity")
	}
}

// unsettled has somebody begin a cluster in a store that has lost one, and reports
// whether it could serve at once.
func unsettled(t testing.TB, adjust func(*sealedview.Params)) bool {
	t.Helper()
	s := newStage(t, adjust)
	s.enter("a", "b", "c")
	s.activate("a")
	s.put(nil)
	s.announce("d")
	s.wantMembers("d")
	s.advance(s.params.Settle / 2)
	if s.may("d") {
		return s.serves("a")
	}
	s.tell()
	s.wantMembers("a, b, c")
	if !s.onOneView("a", "b", "c") || !s.player("a").holds {
		t.Errorf("they do not go on: a serves %t and holds %t", s.serves("a"), s.player("a").holds)
	}
	return false
}

func TestSettle_LeavesTimeToWriteBackWhatWasLost(t *testing.T) {
	if unsettled(t, func(*sealedview.Params) {}) {
		t.Errorf("two members can dispatch to the identity")
	}
	if !unsettled(t, sealedview.Protections()["settling"]) {
		t.Errorf("it does not take time to settle to keep two members from dispatching to the identity")
	}
}

package sealedview_test

import (
	"slices"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

func TestJoin_OneAfterAnother(t *testing.T) {
	s := newStage(t)
	s.enter("a", "b", "c", "d")
	s.wantMembers("a, b, c, d")
	if !s.onOneView("a", "b", "c", "d") || len(s.told()) > 0 {
		t.Errorf("they are not on one view, or were told %q", s.told())
	}
}

func TestJoin_SeveralAtOnceInOneView(t *testing.T) {
	s := newStage(t)
	s.enter("a", "b", "c")
	before := s.view
	for _, id := range []string{"d", "e", "f"} {
		s.announce(id)
	}
	took := s.until("they have joined", func() bool { return s.onOneView("a", "b", "c", "d", "e", "f") })
	if s.view.Before != before.Stamp {
		t.Errorf("it took several views: %+v was made of %+v", s.view, s.view.Before)
	}
	if most := 2 * s.params.Renew; took > most {
		t.Errorf("it took %v, want at most %v", took, most)
	}
}

// The identity is a's before b joins, and b's from then on.
func TestJoin_TakesOverWhatIsReleased(t *testing.T) {
	s := newStage(t)
	s.owner = s.first("b", "a")
	s.enter("a")
	s.activate("a")
	s.player("a").clings = true
	s.enter("b")
	s.advance(10 * time.Second)
	if owing, mine := s.player("b").Owing(s.now, s.owner); !mine || len(owing) != 1 || owing[0] != "a" || s.may("b") {
		t.Errorf("while a holds the identity b owns it %t, is owed it by %v, and may activate it %t", mine, owing, s.may("b"))
	}
	a := s.player("a")
	a.clings = false
	s.host(a, s.view)
	s.until("b may activate the identity", func() bool { return s.may("b") })
}

// Who can speak and not hear would only be in the way.
func TestJoin_TakesAConnectionBothWays(t *testing.T) {
	for _, link := range [][2]string{{"a", "d"}, {"d", "a"}} {
		s := newStage(t)
		s.enter("a", "b", "c")
		for _, id := range []string{"a", "b", "c"} {
			from, to := id, "d"
			if link[0] == "d" {
				from, to = to, from
			}
			s.cuts[[2]string{from, to}] = true
		}
		s.announce("d")
		s.tell()
		s.advance(5 * time.Second)
		s.wantMembers("a, b, c")
		clear(s.cuts)
		s.until("d has joined", func() bool { return s.onOneView("a", "b", "c", "d") })
	}
}

func TestJoin_AfterEverybodyIsGone(t *testing.T) {
	s := newStage(t, shortStore)
	s.enter("a", "b", "c")
	gone := s.view
	s.crash("a", "b", "c")
	s.announce("d")
	took := s.until("d goes on", func() bool { return s.members() == "d" && s.serves("d") })
	if took < s.params.Store || s.view.Before != gone.Stamp {
		t.Errorf("after %v d goes on from %+v, want from %+v after %v at least", took, s.view.Before, gone.Stamp, s.params.Store)
	}
}

// A process that was evicted says so when it comes again: its word may be the one
// that is missing to seal the view that it is not in.
func TestJoin_CountsWhoseTimeIsOver(t *testing.T) {
	s := newStage(t)
	s.enter("a", "b", "c")
	s.cut([]string{"c"}, "a", "b")
	s.applied = func(author string) {
		s.applied = nil
		s.crash(author)
	}
	s.until("a, which is no more, has removed c", func() bool { return s.members() == "a, b" })
	// What c says as it goes is lost: b alone has left the view before.
	s.event(s.player("c"), sealedview.Tick{})
	s.until("c is evicted", func() bool { return s.player("c").evicted })
	s.advance(time.Second)
	if s.serves("b") {
		t.Fatalf("b serves in a view that only one of three grantors knows")
	}
	past := s.player("c").Past()
	s.was = past
	s.announce("c2")
	s.until("c2 has taken b out of its plight", func() bool { return s.onOneView("b", "c2") })
	if past.ID != "c" || s.view.Forced || s.now > s.params.Store {
		t.Errorf("forced %t at %v by %+v", s.view.Forced, s.now, past)
	}
}

// Members that would keep a kind in different ways stay apart, without a view
// that nobody needs.
func TestJoin_TakesAllToKeepAKindAlike(t *testing.T) {
	s := newStage(t)
	strict := sealedview.Member{State: sealedview.Active, Kinds: []string{"user", "cart"}, Strict: []string{"user"}}
	s.kinds = map[string]sealedview.Member{
		"a": strict, "b": strict, "c": {Kinds: []string{"cart"}},
		"d": {Kinds: []string{"user"}}, "e": {Kinds: []string{"other"}, Strict: []string{"other"}}, "f": {Kinds: []string{"other"}},
	}
	s.enter("a", "b", "c")
	for _, id := range []string{"d", "e", "f"} {
		s.announce(id)
	}
	s.until("e has joined", func() bool { return s.onOneView("a", "b", "c", "e") })
	before := s.view
	s.advance(10 * time.Second)
	if s.wantMembers("a, b, c, e"); s.view != before {
		t.Errorf("there is another view: %+v", s.view)
	}
}

// Those outside the council need not reach each other: it hands barriers on. Any
// one of it will do.
func TestJoin_TakesBarriersFromTheCouncil(t *testing.T) {
	for _, silent := range [][]string{nil, {"a"}, {"a", "b"}, {"b", "c"}} {
		s := newStage(t)
		s.owner = s.first("h", "f")
		s.enter("a", "b", "c", "d", "e", "f", "g")
		s.activate("f")
		s.cut([]string{"f", "g", "h"}, "f", "g", "h")
		for _, id := range silent { // to h, but not to f and g
			s.cuts[[2]string{id, "h"}] = true
		}
		s.enter("h")
		if !s.may("h") {
			owing, _ := s.player("h").Owing(s.now, s.owner)
			t.Errorf("with %v silent h may not activate the identity, which is owed by %v", silent, owing)
		}
	}
}

// While one has not let go, the council hands on the barriers of the others.
func TestJoin_TakesTheBarriersThatThereAre(t *testing.T) {
	s := newStage(t)
	s.owner = s.first("h", "g")
	s.enter("a", "b", "c", "d", "e", "f", "g")
	s.activate("g")
	s.player("g").clings = true
	s.cut([]string{"h"}, "f", "g")
	s.enter("h")
	if owing, mine := s.player("h").Owing(s.now, s.owner); !mine || !slices.Equal(owing, []string{"g"}) {
		t.Errorf("h owns the identity %t, and is owed it by %v, want by g alone", mine, owing)
	}
}

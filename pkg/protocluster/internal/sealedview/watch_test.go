package sealedview_test

import (
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

// The failover of the design's arithmetic: a crash, then exclusion, the end of
// all promises, one write.
func TestWatch_TakesOutWhoHasCrashed(t *testing.T) {
	s := newStage(t)
	s.enter("a", "b", "c")
	s.activate("a")
	s.crash("a")
	took := s.until("b may activate the identity", func() bool { return s.may("b") })
	s.wantMembers("b, c")
	if most := 1250 * time.Millisecond; took > most {
		t.Errorf("it takes %v, want at most %v", took, most)
	}
	if least := s.params.Lease - s.params.Renew; took < least {
		t.Errorf("it takes %v, although a may have had a lease for %v", took, least)
	}
}

// Several that crash soon after each other go in one view, as the next change would
// have to wait for a lease.
func TestWatch_TakesOutSeveralAtOnce(t *testing.T) {
	s := newStage(t)
	s.enter("a", "b", "c", "d", "e")
	before := s.view
	s.crash("b")
	s.advance(350 * time.Millisecond)
	s.crash("d")
	s.until("both are gone", func() bool { return s.members() == "a, c, e" })
	if s.view.Before != before.Stamp {
		t.Errorf("it took several views: %+v was made of %+v", s.view, s.view.Before)
	}
}

func TestWatch_TakesTwoAccusers(t *testing.T) {
	for _, mode := range []sealedview.Mode{sealedview.Council, sealedview.Store} {
		s := newStage(t)
		s.mode = mode
		s.enter("a", "b", "c")
		before := s.view.Stamp
		s.cut([]string{"a"}, "c")
		s.advance(30 * time.Second)
		if s.view.Stamp != before || !s.onOneView("a", "b", "c") {
			t.Errorf("%s leases: because a and c are cut from each other the view is %s, all serve %t",
				mode, s.members(), s.onOneView("a", "b", "c"))
		}
	}
}

// A node that was late itself takes nobody else for dead.
func TestWatch_DoubtsItselfFirst(t *testing.T) {
	s := newStage(t)
	s.enter("a", "b", "c")
	late := s.player("a")
	late.down = true
	s.advance(930 * time.Millisecond) // it has heard nobody for longer than Suspect
	if !late.Serves(s.now) {
		t.Fatal("a has no lease any more, and would not act anyway")
	}
	for _, e := range []sealedview.Event{
		sealedview.Tick{},
		sealedview.Received{From: &s.player("b").self, Message: sealedview.Renew{View: s.view.Stamp}}, // the first of what has waited
		sealedview.Tick{},
	} {
		for _, effect := range late.Step(s.now, e) {
			if send, ok := effect.(sealedview.Send); ok {
				if x, ok := send.Message.(sealedview.Exclude); ok {
					t.Errorf("a accuses %s just after it was late", x.Target)
				}
			}
		}
		s.now += step
	}
}

// Who is cut off stops in time, before the others go on.
func TestWatch_WhoIsCutOffHasStopped(t *testing.T) {
	s := newStage(t)
	s.enter("a", "b", "c")
	s.activate("a")
	s.cut([]string{"a"}, "b", "c", "store")
	stopped := time.Duration(0)
	s.until("b may activate the identity", func() bool {
		if !s.serves("a") && stopped == 0 {
			stopped = s.now
		}
		return s.may("b")
	})
	if s.serves("a") || stopped == 0 {
		t.Errorf("a serves %t", s.serves("a"))
	}
	s.heal([]string{"a"}, "b", "c", "store")
	s.until("a learns that it is out", func() bool { return s.player("a").evicted && !s.player("a").holds })
}

// A pause shorter than it takes to be taken out loses nothing.
func TestWatch_AShortAbsenceIsForgiven(t *testing.T) {
	s := newStage(t)
	s.enter("a", "b", "c")
	s.activate("a")
	before := s.view
	s.cut([]string{"a"}, "b", "c")
	s.advance(500 * time.Millisecond)
	s.heal([]string{"a"}, "b", "c")
	s.until("a serves", func() bool { return s.serves("a") })
	if s.view != before || !s.player("a").holds {
		t.Errorf("members %s, a holds the identity %t; want the view as it was", s.members(), s.player("a").holds)
	}
}

// Without the store nobody can be taken out, so nobody is shut out either: who was
// away meanwhile, for however long, goes on when it is back, with what it holds.
func TestWatch_WithoutTheStoreAbsencesAreForgiven(t *testing.T) {
	for _, away := range []time.Duration{950 * time.Millisecond, 2 * time.Second, 5 * time.Second, 20 * time.Second} {
		s := newStage(t)
		s.enter("a", "b", "c", "d", "e")
		s.activate("a")
		before := s.view
		all := []string{"a", "b", "c", "d", "e"}
		s.cut(all, "store")
		s.advance(time.Second)
		s.cut([]string{"a"}, "b", "c", "d", "e")
		s.advance(away)
		s.heal([]string{"a"}, "b", "c", "d", "e")
		back := s.until("a serves again", func() bool { return s.serves("a") })
		if most := s.params.Renew + step; back > most {
			t.Errorf("away for %v a serves after another %v, want %v at most", away, back, most)
		}
		s.advance(3 * time.Second)
		s.heal(all, "store")
		s.advance(5 * time.Second)
		if s.view != before || !s.onOneView(all...) || !s.player("a").holds {
			t.Errorf("away for %v: members %s, a holds the identity %t; want the view as it was", away, s.members(), s.player("a").holds)
		}
	}
}

// Who dies without the store is taken out when that is back.
func TestWatch_WithoutTheStoreTheDeadWait(t *testing.T) {
	s := newStage(t)
	s.enter("a", "b", "c")
	s.cut([]string{"a", "b", "c"}, "store")
	s.crash("a")
	s.advance(10 * time.Second)
	s.wantMembers("a, b, c")
	s.heal([]string{"b", "c"}, "store")
	if took := s.until("a is out", func() bool { return s.members() == "b, c" }); took > time.Second {
		t.Errorf("it takes %v after the store is back", took)
	}
}

// One member's evidence does for all: the oldest reads, another if that cannot.
func TestStore_OneReadsForAll(t *testing.T) {
	s := newStage(t)
	all := []string{"a", "b", "c", "d", "e", "f", "g"}
	s.enter(all...)
	s.advance(s.params.Store) // what is left of joining
	for _, row := range []struct{ cut, reader string }{{"", "a"}, {"a", "b"}, {"b", "c"}} {
		if row.cut != "" {
			s.cut([]string{row.cut}, "store")
			s.advance(s.params.Store / 5)
		}
		s.reads = make(map[string]int)
		s.advance(10 * s.params.Store)
		// The time between two reads is a fifteenth of Store, and up to a
		// renewal more.
		if got := s.reads[row.reader]; got < 100 || got > 150 {
			t.Errorf("without %q the one whose turn it is, %s, has read %d times", row.cut, row.reader, got)
		}
		for _, id := range all {
			if id > row.reader && s.reads[id] > 0 {
				t.Errorf("without %q %s has read %d times, though %s reads for all", row.cut, id, s.reads[id], row.reader)
			}
		}
		if !s.onOneView(all...) {
			t.Errorf("without %q not all serve", row.cut)
		}
	}
}

// Of two members the store is the third voter.
func TestWatch_OneOfTwo(t *testing.T) {
	s := newStage(t)
	s.enter("a", "b")
	s.activate("a")
	s.crash("a")
	took := s.until("b may activate the identity", func() bool { return s.may("b") })
	if s.wantMembers("b"); took > 3*time.Second {
		t.Errorf("it takes %v, want at most 3s", took)
	}
}

func TestStoreMode(t *testing.T) {
	s := newStage(t)
	s.mode = sealedview.Store
	s.enter("a", "b", "c")
	s.activate("a")
	s.crash("a")
	took := s.until("b may activate the identity", func() bool { return s.may("b") })
	if s.wantMembers("b, c"); took > 3*time.Second {
		t.Errorf("it takes %v, want at most 3s", took)
	}
	s.cut([]string{"store"}, "b", "c")
	s.advance(s.params.Lease)
	if s.serves("b") || s.serves("c") {
		t.Errorf("b serves %t, c serves %t without the store", s.serves("b"), s.serves("c"))
	}
	s.heal([]string{"store"}, "b", "c")
	s.until("both serve again", func() bool { return s.onOneView("b", "c") })
}

// Who has yet to watch the store for a while before that grants it anything is not
// locked out, and makes no other view because of it: what others are about to do
// would have to begin again in that.
func TestStoreMode_WhoIsBackWaitsForItsLease(t *testing.T) {
	s := newStage(t)
	s.mode = sealedview.Store
	s.enter("a", "b", "c")
	before := s.view
	s.cut([]string{"a"}, "store")
	s.advance(1500 * time.Millisecond)
	if s.serves("a") {
		t.Fatal("a serves without the store")
	}
	s.heal([]string{"a"}, "store")
	took := s.until("a serves again", func() bool { return s.serves("a") })
	if most := s.params.Outlast(s.params.Settle) + 2*s.params.Renew; took > most || s.view != before {
		t.Errorf("it takes %v, in epoch %d after %d; want %v at most, and no other view", took, s.view.Epoch, before.Epoch, most)
	}
}

func TestCouncil_BearsAnOutageOfTheStore(t *testing.T) {
	s := newStage(t)
	s.enter("a", "b", "c")
	all := []string{"a", "b", "c"}
	s.cut(all, "store")
	s.advance(s.params.Store - 6*time.Second) // their evidence may be as old as that
	for _, id := range all {
		if !s.serves(id) {
			t.Errorf("%s has stopped %v after the store", id, s.params.Store-6*time.Second)
		}
	}
	s.heal([]string{"b"}, "store") // one that reaches it keeps all fresh
	s.advance(10 * s.params.Store)
	for _, id := range all {
		if !s.serves(id) {
			t.Errorf("%s has stopped, though b reaches the store", id)
		}
	}
	s.cut([]string{"b"}, "store")
	s.advance(s.params.Store)
	for _, id := range all {
		if s.serves(id) {
			t.Errorf("%s serves %v after the store has gone", id, s.params.Store)
		}
	}
	s.heal(all, "store")
	s.until("all serve again", func() bool { return s.onOneView(all...) })
	s.wantMembers("a, b, c")
}

// Where the store grants the leases, the last one left goes on even if the others
// had it excluded before they were gone, and none of them was ever of the council.
func TestStoreMode_TheLastOneIsExcluded(t *testing.T) {
	s := newStage(t)
	s.mode = sealedview.Store
	s.enter("a", "b", "c", "d", "e", "f", "g")
	others := []string{"a", "b", "c", "d", "e", "f"}
	s.cut([]string{"g"}, others...)
	s.applied = func(string) {
		if len(s.view.Excluded) > 0 {
			s.applied = nil
			s.crash(others...)
		}
	}
	s.until("g is excluded", func() bool { return s.applied == nil })
	took := s.until("g goes on alone", func() bool { return s.members() == "g" && s.serves("g") })
	if s.view.Forced || took > 15*time.Second {
		t.Errorf("it took %v, by an override %t", took, s.view.Forced)
	}
}

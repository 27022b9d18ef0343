package sealedview_test

import (
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

func shortStore(p *sealedview.Params) { p.Store = 2 * time.Second }

func TestOverride_GoesOnWithoutAMajority(t *testing.T) {
	s := newStage(t, shortStore)
	s.enter("a", "b", "c")
	s.crash("a", "b")
	took := s.until("c goes on alone", func() bool { return s.members() == "c" && s.serves("c") })
	if took < s.params.Store {
		t.Errorf("an override after %v, in which others may still have had evidence", took)
	}
	if !s.view.Forced {
		t.Errorf("the view was not made by an override: %+v", s.view)
	}
}

func TestOverride_TakenBackByWhoHasAMajority(t *testing.T) {
	s := newStage(t, shortStore)
	s.enter("a", "b", "c")
	s.cut([]string{"c"}, "a", "b")
	s.cut([]string{"a", "b"}, "store")
	s.until("c declares an override", func() bool { return s.view.Override != "" })
	s.advance(time.Second)
	s.heal([]string{"a", "b"}, "store")
	s.until("it is taken back", func() bool { return s.view.Override == "" })
	s.until("c is removed", func() bool { return s.members() == "a, b" })
	if s.view.Forced || !s.onOneView("a", "b") {
		t.Errorf("forced %t, a and b serve %t", s.view.Forced, s.onOneView("a", "b"))
	}
}

// Nobody has fresh evidence under an intent, so who cannot reach the store stops
// in time.
func TestOverride_WhoIsOverriddenHasStopped(t *testing.T) {
	s := newStage(t, shortStore)
	s.enter("a", "b", "c")
	s.cut([]string{"c"}, "a", "b")
	s.cut([]string{"a", "b"}, "store")
	s.until("c goes on alone", func() bool { return s.members() == "c" })
	if s.serves("a") || s.serves("b") {
		t.Errorf("a serves %t, b serves %t after the override", s.serves("a"), s.serves("b"))
	}
}

// An intent that the store has lost with the record has to be declared anew.
func TestOverride_GoesOnAfterTheRecordIsDeleted(t *testing.T) {
	s := newStage(t, shortStore)
	s.enter("a", "b", "c")
	s.crash("b", "c")
	s.until("a declares an override", func() bool { return s.view.Override != "" })
	deleted := s.now
	s.put(nil)
	s.until("a goes on alone", func() bool { return s.members() == "a" && s.serves("a") })
	if waited := s.now - deleted; waited < s.params.Store {
		t.Errorf("an override %v after the record with the first intent was deleted", waited)
	}
}

package sealedview_test

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestRestore_MembersWriteTheirViewBack(t *testing.T) {
	rows := []struct {
		name string
		lose func(s *stage, older *stage)
	}{
		{"the record is deleted", func(s, _ *stage) { s.put(nil) }},
		{"the record is garbage", func(s, _ *stage) { s.put(nil); s.garbled = errors.New("garbage") }},
		{"a backup is restored", func(s, older *stage) { s.put(older.view) }},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s := newStage(t)
			s.enter("a", "b", "c")
			older := *s
			s.enter("d")
			s.activate("a")
			lost := s.view
			row.lose(s, &older)
			s.tell()
			if !s.onOneView("a", "b", "c", "d") || s.members() != "a, b, c, d" || s.view.Before != lost.Stamp {
				t.Errorf("the store has %+v, want one made of %+v", s.view, lost.Stamp)
			}
			if !s.player("a").holds || !s.serves("a") {
				t.Errorf("a holds the identity %t, serves %t; want both", s.player("a").holds, s.serves("a"))
			}
		})
	}
}

// A member without a lease does not know whether others went on without it.
func TestRestore_TakesALease(t *testing.T) {
	s := newStage(t)
	s.enter("a", "b", "c")
	s.crash("b", "c")
	s.advance(2 * time.Second)
	s.put(nil)
	s.tell()
	s.advance(time.Second)
	if s.view != nil {
		t.Errorf("a has written %+v, without a lease", s.view)
	}
	if told := s.told(); len(told) == 0 || !strings.Contains(told[len(told)-1], "does not serve") {
		t.Errorf("told %q, want that it does not serve", told)
	}
}

// A member that alone has seen a view which the store lost cannot go by what the
// others make of the view before, for its epoch may be lower. It has to notice
// that they go on.
func TestRestore_WhoIsLeftInALostViewComesBackAsAnother(t *testing.T) {
	s := newStage(t)
	s.ahead = map[string]time.Duration{"c": time.Hour}
	s.enter("c", "a", "b")
	s.cut([]string{"d"}, "a", "b")
	before := s.view
	s.applied = func(string) {
		s.applied = nil
		s.cut([]string{"c"}, "a", "b")
		s.put(before)
	}
	s.announce("d")
	s.until("c has admitted d", func() bool { return s.player("c").View().Has("d") })
	s.crash("d")
	s.until("a and b have removed c", func() bool { return s.members() == "a, b" })
	if s.view.Epoch >= s.player("c").View().Epoch {
		t.Fatalf("their epoch %d is not below that of c, %d", s.view.Epoch, s.player("c").View().Epoch)
	}
	s.heal([]string{"c"}, "a", "b")
	took := s.until("c is evicted", func() bool { return s.player("c").evicted })
	if most := 3 * s.params.Settle; took > most {
		t.Errorf("it takes %v, want at most %v", took, most)
	}
}

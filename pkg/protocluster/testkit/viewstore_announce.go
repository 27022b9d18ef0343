package testkit

import (
	"context"
	"slices"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

func announcing(s *viewStoreSuite) {
	a, b, c := s.open(0), s.open(1), s.open(2)
	ends := c.waiting(c.read())
	a.announce("a", "a joins")
	ends()
	c.until(0, "a", joining("a joins"))
	ends = c.waiting(c.read())
	b.announce("b/../b?#%2F ü", "b joins\x00")
	ends()
	c.until(0, "a and b", joining("a joins", "b joins\x00"))
	version := c.write("the view", 0)
	c.is("the view", version)
	ends = c.waiting(c.read())
	a.withdraw()
	ends()
	c.until(0, "b", joining("b joins\x00"))
	a.withdraw() // again does no harm
	b.withdraw()
	c.until(0, "nobody", joining())
	c.is("the view", version)
}

func announcingAgain(s *viewStoreSuite) {
	a, b := s.open(0), s.open(1)
	a.announce("a", "one")
	a.announce("a", "two")
	b.until(0, "the second announcement", joining("two"))
	a.announce("a2", "three")
	b.until(0, "the third announcement", joining("three"))
	a.withdraw()
	a.announce("a", "four") // at once, under a name that was just freed
	b.until(0, "the fourth announcement", joining("four"))
}

func announcedLong(s *viewStoreSuite) {
	a, b := s.open(0), s.open(1)
	a.announce("a", "a joins")
	for begin := time.Now(); time.Since(begin) < s.Expiry+s.Linger; {
		b.until(0, "a", joining("a joins"))
		s.pass(time.Second)
	}
}

// pass lets time pass.
func (s *viewStoreSuite) pass(d time.Duration) { <-time.After(d) }

func announcedShortCut(s *viewStoreSuite) {
	s.needs("Cut", s.Cut != nil)
	a, b := s.open(0), s.open(1)
	a.announce("a", "a joins")
	s.Cut(0)
	s.pass(s.Linger * 9 / 10)
	s.Heal(0)
	for begin := time.Now(); time.Since(begin) < s.Expiry; {
		b.until(0, "a", joining("a joins"))
		s.pass(time.Second)
	}
}

func announcedLongCut(s *viewStoreSuite) {
	s.needs("Cut", s.Cut != nil)
	a, b := s.open(0), s.open(1)
	a.announce("a", "a joins")
	s.Cut(0)
	took := b.until(s.Expiry, "nobody", joining())
	if took < s.Linger-time.Second {
		s.Errorf("who fell silent was forgotten after %v, want %v at least", took, s.Linger)
	}
	s.Heal(0)
	b.until(s.Linger, "a again", joining("a joins"))
	a.withdraw()
	b.until(0, "nobody", joining())
}

func closing(s *viewStoreSuite) {
	a, b := s.open(0), s.open(1)
	a.announce("a", "a joins")
	ctx, cancel := context.WithTimeout(s.Context(), storePatience)
	defer cancel()
	if err := a.Show(ctx, cluster.Member{ID: "a", Address: NodeAddress(0), Kinds: []string{"user"}}); err != nil {
		s.Errorf("Show = %v", err)
	}
	if err := a.Show(ctx, cluster.Member{ID: "a2", Address: NodeAddress(0), Status: cluster.Up}); err != nil {
		s.Errorf("Show of another self = %v", err)
	}
	for range 2 {
		if err := a.Close(ctx); err != nil {
			s.Errorf("Close = %v", err)
		}
	}
	b.until(0, "nobody", joining())
	s.opened = slices.DeleteFunc(s.opened, func(o cluster.Store) bool { return o == a.Store })
}

package seat

import (
	"context"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

// call is one of the host that is due.
type call struct {
	what what
	self string
	view *sealedview.View
}

type what uint8

const (
	seated what = iota
	unseated
	lapsed
	regained
)

// tell has the host called, with the lock held.
func (s *Seat) tell(c call) {
	if c.what == lapsed {
		s.stats.Lapses++
	}
	s.calls = append(s.calls, c)
}

// attend calls the host, until ctx ends.
func (s *Seat) attend(ctx context.Context) {
	for {
		for _, c := range s.takeCalls() {
			s.call(c)
		}
		select {
		case <-s.told:
		case <-ctx.Done():
			return
		}
	}
}

func (s *Seat) takeCalls() []call {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	return calls
}

func (s *Seat) call(c call) {
	switch host := s.config.Host; c.what {
	case seated:
		host.Seated(c.self, c.view)
		s.knows(c.view)
	case unseated:
		host.Unseated(c.self, c.view)
		s.again()
	case lapsed:
		host.Lapsed()
	case regained:
		host.Regained()
	}
}

// knows takes note that the host knows of a view, so that it may claim under it.
func (s *Seat) knows(view *sealedview.View) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seated = view
	s.signal()
}

// again goes on after the host has dropped all it had, under a new id, or ends if
// the node was to leave anyway.
func (s *Seat) again() {
	s.mu.Lock()
	if s.leaving {
		s.left = true
	} else {
		s.renew()
	}
	s.signal()
	s.mu.Unlock()
	s.step(sealedview.Tick{})
}

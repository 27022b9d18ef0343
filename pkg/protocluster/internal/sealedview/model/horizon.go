package model

import "math/bits"

// forgetBarriers drops barriers that make no difference. For each view that its
// owner may still activate the identity in, they are kept of those whom the
// owner waits for; and of each member the newest one up to there, if it helps to
// complete a view that is newer than the complete one. The same for views to
// come, whose owners wait for barriers that have not been given yet.
func (m *Model) forgetBarriers(s *State) {
	if m.mutation == EpochsGoBack {
		return
	}
	var keep [Nodes]uint8
	views := m.undecided(s)
	if m.leastComplete(s, views) > 0 {
		s.past = 0 // nobody asks for owners before the views that are kept
	}
	first := 2 // that view 1 is complete changes nothing if there is nothing before it
	if s.past != 0 || m.mutation == PruneTooFar {
		first = 1
	}
	for e := 1; e <= int(s.epoch); e++ {
		if views>>e&1 == 0 {
			continue
		}
		if n := m.Owner(s.View(e)); n >= 0 {
			awaited := m.awaited(s, n, e)
			for k := range Nodes {
				if awaited.Has(k) {
					keep[k] |= 1 << e
				}
			}
		}
		complete := m.complete(s, e)
		for k := range Nodes {
			if d := bits.Len8(s.done[k]&(2<<e-1)) - 1; d >= max(first, complete) && s.Newest().Members().Has(k) {
				keep[k] |= 1 << d
			}
		}
	}
	for k := range keep {
		s.done[k] &= keep[k]
	}
}

// undecided has the bit of each view that its owner may activate the identity
// in, now or later, and of the newest. An owner that has left a view does not
// come back to it, and one that holds the identity keeps it until it leaves.
func (m *Model) undecided(s *State) uint8 {
	views := uint8(1) << s.epoch
	for e := 1; e <= int(s.epoch); e++ {
		n := m.Owner(s.View(e))
		if n >= 0 && (int(s.at[n]) < e || int(s.at[n]) == e && !s.active.Has(n)) {
			views |= 1 << e
		}
	}
	return views
}

// leastComplete is the oldest of the epochs that are complete for the owners of
// those views.
func (m *Model) leastComplete(s *State, views uint8) int {
	least := int(s.epoch)
	for e := 1; e <= int(s.epoch); e++ {
		if views>>e&1 == 1 {
			least = min(least, m.complete(s, e))
		}
	}
	return least
}

// forgetViews drops the views that nobody goes by or can come to, but for who
// owned the identity in them since the last complete one, and counts epochs from
// the oldest that is kept. No rule asks for the number of an epoch, only for
// which comes first; and for the view before another, which is kept while it
// matters. It reports whether epochs have other numbers now.
func (m *Model) forgetViews(s *State) bool {
	if m.mutation == EpochsGoBack {
		return false
	}
	base, complete := m.oldest(s)
	for q := max(complete, 1); q < base; q++ {
		if o := m.Owner(s.View(q)); o >= 0 {
			s.past |= setOf(o)
		}
	}
	if s.past != 0 {
		var members Set
		for q := base; q <= int(s.epoch); q++ {
			members |= s.View(q).Members()
		}
		s.past &= members
	}
	if base > 1 {
		s.renumber(base - 1)
	}
	return base > 1
}

// oldest is the epoch of the oldest view that matters: a node goes by it or can
// install it; or it is the one before the newest and not settled; or a barrier
// for it is kept that can help to complete a view; or not all undecided views
// have the same complete one, and it is the oldest of those. complete is the
// epoch of that one.
func (m *Model) oldest(s *State) (base, complete int) {
	base = int(s.epoch)
	if s.made != settled {
		base--
	}
	if m.mutation == BlindWrite || m.mutation == BarrierPrevious {
		base = min(base, int(s.epoch)-2)
	}
	for i := range m.config.Nodes {
		if at := m.next(s, i); at != 0 {
			base = min(base, at)
		}
	}
	complete = m.leastComplete(s, m.undecided(s))
	if complete != m.complete(s, int(s.epoch)) {
		base = min(base, complete)
	}
	for k := range Nodes {
		if later := s.done[k] >> (complete + 1); later != 0 && !m.config.FullHistory {
			base = min(base, complete+1+bits.TrailingZeros8(later))
		}
	}
	if m.mutation == BarrierPrevious {
		base--
	}
	return max(base, 1), complete
}

// next is the epoch of the view that node i goes by, or else of the first that it
// can go by; 0 if there is none.
func (m *Model) next(s *State, i int) int {
	if s.at[i] != 0 || !s.used.Has(i) {
		return int(s.at[i])
	}
	for e := 1; e < int(s.epoch); e++ {
		if s.View(e).Members().Has(i) {
			return e
		}
	}
	return int(s.epoch)
}

// renumber counts epochs from d later.
func (s *State) renumber(d int) {
	s.views = s.views >> (8 * d) &^ 0xff
	s.since = s.since >> (4 * d) &^ 0xf
	s.epoch -= uint8(d)
	s.token = uint8(max(0, int(s.token)-d))
	for i := range s.at {
		if s.at[i] != 0 && s.at[i] != gone {
			s.at[i] -= uint8(d)
		}
		s.done[i] = s.done[i] >> d &^ 1
	}
}

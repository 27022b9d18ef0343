package model

// forget drops what can make no difference any more, so that states that differ
// in that alone are one. Each part says why nothing can ask for what it drops.
// A grant or an exclusion in the newest view makes nothing less useful.
func (m *Model) forget(s *State, after Kind) {
	if after == Renew || after == Exclude && m.mutation == None {
		return
	}
	was := *s
	m.settle(s)
	for i := range m.config.Nodes {
		if s.at[i] != gone && !s.Newest().Members().Has(i) {
			m.forgetEvicted(s, i)
		}
	}
	m.forgetPromises(s)
	if after == Tick && s.at == was.at && s.active == was.active && (s.made == settled) == (was.made == settled) {
		return // nobody has moved, so views and barriers are as useful as before
	}
	m.forgetExclusions(s)
	if !m.config.Audit {
		s.token = 0 // only the audit asks
	}
	m.forgetBarriers(s)
	if m.forgetViews(s) {
		m.forgetBarriers(s) // the first view has another number now
	}
	m.reuse(s)
}

// settle notes that no rule will ask for the view before the newest one again:
// either there will be no change, or R2 and R3 hold for all. They go on to hold,
// for time passes, grantors do not go back, and what they owed from before only
// gets less.
func (m *Model) settle(s *State) {
	if m.final(s) {
		s.made, s.wait, s.forced = settled, 0, false
	}
	if s.made != settled && int(s.made) >= m.config.Lease && m.mutation != EpochsGoBack {
		members := columns(s.Newest().Members()) * 7
		if m.closed(s, int(s.epoch), func(c int) bool { return s.older&members&(row(c)*7) == 0 }) {
			s.made, s.forced = settled, false
		}
	}
}

// final reports whether the view will not change any more.
func (m *Model) final(s *State) bool { return !m.endless && int(s.changes) == m.config.Changes }

// forgetEvicted drops what a node outside the newest view still has. It never
// gets into another view, so all that matters is whether it can dispatch in one
// that it was in. If not, its activation and its grants are worth nothing; to
// drop the activation is a release. If moreover nobody can ask it for a grant, or
// waits for a barrier that it can still give, and it does not have to leave the
// view before the newest one so that this is closed, it is gone.
func (m *Model) forgetEvicted(s *State, i int) {
	at := int(s.at[i])
	if at == 0 && !s.used.Has(i) || m.mutation == NamesReused {
		return
	}
	for q := max(at, 1); q < int(s.epoch); q++ {
		if m.canServe(s, i, q) {
			return
		}
	}
	if s.active.Has(i) {
		s.active &^= setOf(i)
		m.learn(s)
	}
	s.marks &^= column(i) * counted
	closes := s.made != settled && at < int(s.epoch) && m.Grantors(s.View(int(s.epoch)-1)).Has(i)
	if closes || m.mayBeAsked(s, i) || m.mayBeAwaited(s, i) {
		return
	}
	s.at[i] = gone
}

// mayBeAwaited reports whether node i can give a barrier that another needs.
func (m *Model) mayBeAwaited(s *State, i int) bool {
	for q := max(int(s.at[i]), 1); q < int(s.epoch); q++ {
		n := m.Owner(s.View(q))
		if n >= 0 && !s.Barrier(i, q) && m.awaited(s, n, q).Has(i) && m.canServe(s, n, q) {
			return true
		}
	}
	return false
}

// reuse has the numbers of nodes that are gone stand for new nodes, once no view
// that is kept has them. Without a bound on changes, four numbers would not last.
func (m *Model) reuse(s *State) {
	for i := range m.config.Nodes {
		if m.endless && s.at[i] == gone && !m.remembered(s, i) {
			s.at[i] = 0
			s.used &^= setOf(i)
			s.marks &^= column(i) * 7
		}
	}
}

// canServe reports whether node i can come to dispatch in view q: it can have a
// lease there, and holds the identity or can by then have owned it.
func (m *Model) canServe(s *State, i, q int) bool {
	if !s.View(q).Members().Has(i) || int(s.at[i]) > q || !m.canLease(s, i, q) {
		return false
	}
	holds := s.active.Has(i) || m.mutation != None
	for e := max(int(s.at[i]), 1); e <= q; e++ {
		holds = holds || m.Owner(s.View(e)) == i
	}
	return holds
}

// mayBeAsked reports whether node i can grant a lease that matters to another.
func (m *Model) mayBeAsked(s *State, i int) bool {
	for q := max(int(s.at[i]), 1); q < int(s.epoch); q++ {
		if !m.Grantors(s.View(q)).Has(i) {
			continue
		}
		for j := range Nodes {
			if j != i && m.canServe(s, j, q) {
				return true
			}
		}
	}
	return false
}

// remembered reports whether a view that is kept has node i as a member.
func (m *Model) remembered(s *State, i int) bool {
	for q := 1; q <= int(s.epoch); q++ {
		if s.View(q).Members().Has(i) {
			return true
		}
	}
	return s.past.Has(i)
}

// forgetPromises drops promises that no lease is made of and no rule asks for.
// R1 asks grantors of the newest view, or of one to come, about its members; a
// grantor of the view before that has not left it will be asked by R2 what it
// owed when it did. R2 asks for older promises until it is settled.
func (m *Model) forgetPromises(s *State) {
	held := s.marks >> 2 & everyPair * 7
	if m.final(s) {
		s.until &= held
		s.older = 0
		return
	}
	newest := s.Newest().Members()
	members := columns(newest) * 7
	before := m.Grantors(s.View(int(s.epoch) - 1))
	var left Set
	for c := range Nodes {
		if before.Has(c) && s.at[c] >= s.epoch {
			left |= setOf(c)
		}
	}
	left |= before & setOf(Store)
	asked := newest | setOf(Store)
	if s.made == settled {
		s.older = 0
	} else {
		s.older &= rows(left) * 7 & members
		asked |= before
	}
	s.until &= held | rows(asked)*7&members
}

// forgetExclusions drops exclusions of members that have left the view in which
// the grantor excludes them, or by a grantor that has no say in its view.
func (m *Model) forgetExclusions(s *State) {
	if s.marks&(everyPair*excluded) == 0 || m.mutation == EpochsGoBack || m.mutation == CrossEpochGrants {
		return
	}
	for c := range grantors {
		if s.marks&(row(c)*excluded) == 0 {
			continue
		}
		e := s.installed(c)
		for i := range Nodes {
			if e == gone || int(s.at[i]) > e || !m.Grantors(s.View(e)).Has(c) {
				s.marks &^= excluded << (12*c + 3*i)
			}
		}
	}
}

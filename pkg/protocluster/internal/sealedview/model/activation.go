package model

// MayActivate reports whether node i may activate the identity: it owns it in
// its view, has a lease, and all who may hold it have given their barrier.
func (m *Model) MayActivate(s *State, i int) bool {
	e := int(s.at[i])
	if e == 0 || e == gone || s.active.Has(i) {
		return false
	}
	return m.Owner(s.View(e)) == i && m.Lease(s, i) && m.barriersGiven(s, i, e)
}

// barriersGiven is the activation rule: each member of view e that was the owner
// in any epoch since the last complete one has given its barrier for e. A
// barrier is about the view that it names and no other.
func (m *Model) barriersGiven(s *State, i, e int) bool {
	awaited := m.awaited(s, i, e)
	for k := range Nodes {
		given := s.Barrier(k, e) || m.mutation == BarrierNewer && m.newerBarrier(s, k, i, e)
		if awaited.Has(k) && !given {
			return false
		}
	}
	return true
}

// newerBarrier is the mutation BarrierNewer: k may have told i of a view after e
// that it holds nothing that this view assigns to i.
func (m *Model) newerBarrier(s *State, k, i, e int) bool {
	at := int(s.at[k])
	v := s.View(at)
	return at > e && at != gone && v.Members().Has(i) && (!s.active.Has(k) || m.Owner(v) != i)
}

// awaited are the members of view e whose barrier node i needs there.
func (m *Model) awaited(s *State, i, e int) Set {
	if m.mutation == NoBarrier {
		return 0
	}
	from, owners := 1, s.past
	if c := m.complete(s, e); c > 0 {
		from, owners = c, 0
		if m.mutation == PruneTooFar {
			from++
		}
	}
	if m.mutation == BarrierPrevious {
		from, owners = e-1, 0
	}
	for q := max(from, 1); q < e; q++ {
		if o := m.Owner(s.View(q)); o >= 0 {
			owners |= setOf(o)
		}
	}
	v := s.View(e)
	owners &= v.Members() &^ setOf(i)
	if m.mutation == LeavingUnasked {
		owners &^= v.Leaving()
	}
	return owners
}

// complete is the newest epoch that is complete for who goes by view e, or 0:
// each of its members that still is one has said, of that epoch or of a later
// one up to e, that it holds nothing that it assigns to another. So whoever holds
// the identity is its owner in one of these epochs, and those before need not be
// looked at. What was said of an epoch after e tells nothing: its owner can be
// one from before, that never heard of e.
func (m *Model) complete(s *State, e int) int {
	if m.config.FullHistory {
		return 0
	}
	still := s.Newest().Members()
	for c := e; c > 0; c-- {
		v := s.View(c)
		if v.Members() == 0 {
			continue
		}
		ready, asked := 0, v.Members()&still
		for k := range Nodes {
			if asked.Has(k) && m.completed(s, k, c, e) {
				ready++
			}
		}
		if ready == asked.Len() || m.mutation == PruneMajority && ready > asked.Len()/2 {
			return c
		}
	}
	return 0
}

// completed reports whether member k has given its barrier for an epoch from c
// to e.
func (m *Model) completed(s *State, k, c, e int) bool {
	said := s.done[k] >> c
	switch m.mutation {
	case PruneHolding:
		return int(s.at[k]) >= c
	case PruneNewer:
		return said != 0
	case PruneJoiner:
		if s.at[k] == 0 {
			return true
		}
	}
	return said&(2<<(e-c)-1) != 0
}

// learn takes note of all barriers that can be given. A barrier that is given
// stays true, and only ever allows more, so it is taken to be given, and to have
// reached everybody, as soon as it can be.
func (m *Model) learn(s *State) {
	for k := range Nodes {
		e := int(s.at[k])
		if e == 0 || e == gone {
			continue
		}
		v := s.View(e)
		if v.Members().Has(k) && (!s.active.Has(k) || m.Owner(v) == k || m.mutation == BarrierHolding) {
			s.done[k] |= 1 << e
		}
		if m.mutation == BarrierEarly && !s.active.Has(k) {
			s.done[k] |= 2<<s.epoch - 1
		}
	}
}

// mayRelease reports whether node i may drop its activation: its view gives the
// identity to another.
func (m *Model) mayRelease(s *State, i int) bool {
	e := int(s.at[i])
	return s.active.Has(i) && e != gone && m.Owner(s.View(e)) != i
}

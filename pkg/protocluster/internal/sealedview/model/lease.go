package model

// Lease reports whether node i may dispatch: it has unexpired grants of a
// majority of its view's voters, and fresh evidence that the store showed it.
func (m *Model) Lease(s *State, i int) bool {
	e := int(s.at[i])
	if e == 0 || e == gone {
		return false
	}
	v := s.View(e)
	if !v.Members().Has(i) {
		return false
	}
	if m.mutation == NoLeaseCheck {
		return true
	}
	f := &m.facts[v]
	return s.marks.with(counted, f.grants<<(3*i)) >= int(f.quorum) && m.fresh(s, e)
}

// Serving are the nodes that can dispatch messages to the identity. There must
// never be two.
func (m *Model) Serving(s *State) Set {
	serving := s.active
	for i := range Nodes {
		if serving.Has(i) && !m.Lease(s, i) {
			serving &^= setOf(i)
		}
	}
	return serving
}

// fresh reports whether a member with the view of epoch e can have evidence of
// it that is younger than the horizon. Nodes hand evidence on with its age, and
// more of it only ever allows more, so all are taken to have the best there is.
func (m *Model) fresh(s *State, e int) bool {
	return m.config.Horizon == 0 || s.Evidence(e) < m.config.Horizon || m.mutation == OverrideNoFreshness
}

// mayRenew reports whether grantor c grants i a lease: it has installed the same
// view, in which it is a voter, and has not excluded i.
func (m *Model) mayRenew(s *State, i, c int) bool {
	e := int(s.at[i])
	if e == 0 || e == gone {
		return false
	}
	v := s.View(e)
	if !v.Members().Has(i) || m.facts[v].grants>>(12*c)&1 == 0 {
		return false
	}
	at := s.installed(c)
	if at != e && (m.mutation != CrossEpochGrants || at == 0 || at == gone) {
		return false
	}
	return !s.marks.has(excluded, c, i) || m.mutation == ExclusionIgnored
}

// renew has c promise i the whole lease, and i count it.
func (m *Model) renew(s *State, i, c int) {
	s.until.set(c, i, m.config.Lease)
	s.marks = s.marks&^(forgotten<<(12*c+3*i)) | counted<<(12*c+3*i)
}

// mayExclude reports whether grantor c can be asked to exclude r in the view
// that c has installed. It may be r itself that is asked.
func (m *Model) mayExclude(s *State, c, r int) bool {
	e := s.installed(c)
	if e == 0 || e == gone {
		return false
	}
	v := s.View(e)
	return m.Grantors(v).Has(c) && v.Members().Has(r) && !s.marks.has(excluded, c, r)
}

// mayInstall reports whether node i can go by the view of epoch e from now on. A
// joiner does so only with a view that it is in, or one made of a view in which it
// would have been a grantor and now never will.
func (m *Model) mayInstall(s *State, i, e int) bool {
	at := int(s.at[i])
	if at == gone || e < 1 || e > int(s.epoch) || e == at {
		return false
	}
	if at == 0 {
		return s.View(e).Members().Has(i) || e > 1 && m.Grantors(s.View(e-1)).Has(i)
	}
	return e > at || m.mutation == EpochsGoBack && s.views>>(8*e)&0xff != 0
}

// install has node i go by the view of epoch e. Grants and exclusions end with
// the view they were made in, promises do not. Who finds that it was evicted
// drops its activation.
func (m *Model) install(s *State, i, e int) {
	if s.at[i] != 0 && m.config.Variant&GrantsOutliveViews == 0 {
		s.marks &^= column(i) * counted
	}
	s.at[i] = uint8(e)
	m.leaveView(s, i)
	if !s.View(e).Members().Has(i) {
		s.active &^= setOf(i)
	}
}

// leaveView has grantor c begin with a view that it did not grant in before.
func (m *Model) leaveView(s *State, c int) {
	s.marks &^= row(c) * excluded
	s.older = s.older&^(row(c)*7) | s.until&(row(c)*7)
	if m.mutation == PromisesForgotten && c != Store {
		s.marks |= s.until.nonzero() & row(c) * forgotten
		s.older &^= row(c) * 7
	}
}

// tick lets time pass.
func (m *Model) tick(s *State) {
	s.until, s.older = s.until.tick(), s.older.tick()
	s.marks &^= (everyPair &^ s.until.nonzero()) * (counted | forgotten)
	if s.made < m.ripe {
		s.made++
	}
	if m.config.Horizon == 0 {
		return
	}
	for e := 1; e <= int(s.epoch); e++ {
		shown := e == int(s.epoch) && (!s.override || m.mutation == OverrideFreshened)
		if age := s.Evidence(e); age < m.config.Horizon && !shown && s.views>>(8*e)&0xff != 0 {
			s.setEvidence(e, age+1)
		}
	}
	if s.wait > 0 && int(s.wait) <= m.config.Horizon {
		s.wait++
	}
}

// LeaseAge is how old the grant is that completes the majority of node i's
// lease, in ticks; false if it has no lease.
func (m *Model) LeaseAge(s *State, i int) (age int, ok bool) {
	if !m.Lease(s, i) || m.mutation == NoLeaseCheck {
		return 0, false
	}
	f := &m.facts[s.View(int(s.at[i]))]
	for left := m.config.Lease; left > 0; left-- {
		n := 0
		for c := range grantors {
			if f.grants>>(12*c)&1 == 1 && s.marks.has(counted, c, i) && s.until.at(c, i) >= left {
				n++
			}
		}
		if n >= int(f.quorum) {
			return m.config.Lease - left, true
		}
	}
	return 0, false
}

package model

// MayRemove reports whether the newest view may be followed by one without
// member r, whatever r thinks of it: R1 to R3. R4, the compare-and-swap, is that
// the change is one step.
func (m *Model) MayRemove(s *State, r int) bool {
	e := int(s.epoch)
	return m.mayRemoveFrom(s, e, r) && (m.mutation == NoR3 || s.made == settled || int(s.made) >= m.config.Lease)
}

func (m *Model) mayRemoveFrom(s *State, e, r int) bool {
	return s.View(e).Members().Has(r) && m.exclusionHolds(s, e, r) && m.closedTo(s, e, r)
}

// exclusionHolds is R1: a majority of the view's grantors have excluded r, and
// what they promised it over all epochs has run out.
func (m *Model) exclusionHolds(s *State, e, r int) bool {
	f := &m.facts[s.View(e)]
	n := 0
	for c := range grantors {
		if f.grantors.Has(c) && s.installed(c) == e && s.marks.has(excluded, c, r) && m.promiseOver(s, c, r) {
			n++
		}
	}
	return n >= int(f.exclude)
}

func (m *Model) promiseOver(s *State, c, r int) bool {
	left := s.until.at(c, r)
	return left == 0 || s.marks.has(forgotten, c, r) || m.mutation == NoWait || m.mutation == WaitTooShort && left == 1
}

// closedTo is R2: the view before e can give r no lease any more, and none that
// it gave lasts. A grantor that moved on is asked once what it still owes; what
// it promises after that is no business of the view before.
func (m *Model) closedTo(s *State, e, r int) bool {
	if m.mutation == NoR2 {
		return true
	}
	return m.closed(s, e, func(c int) bool { return s.older.at(c, r) == 0 || m.mutation == R2WithoutWait })
}

// Closed reports whether the view before the newest one can give no lease any
// more, which every change of the view needs.
func (m *Model) Closed(s *State) bool {
	return m.mutation == JoinUnclosed || m.closed(s, int(s.epoch), func(int) bool { return true })
}

// closed reports whether a majority of the grantors of the view before e have
// installed e, those that count; or else the time of all evidence for it is over.
func (m *Model) closed(s *State, e int, counts func(c int) bool) bool {
	if e == int(s.epoch) {
		if s.made == settled || s.forced || m.config.Horizon > 0 && int(s.made) >= m.config.Horizon {
			return true
		}
	}
	f := &m.facts[s.View(e-1)]
	if e == 1 || f.grantors == 0 {
		return true
	}
	n := 0
	for c := range grantors {
		if f.grantors.Has(c) && s.installed(c) >= e && counts(c) {
			n++
		}
	}
	return n >= int(f.quorum)
}

// MayWithdraw reports whether the newest view may be followed by one without
// member i because i says that it is done: it goes by a view in which it is
// leaving, and holds nothing. No lease is waited for.
func (m *Model) MayWithdraw(s *State, i int) bool {
	if !s.Newest().Leaving().Has(i) || !m.Closed(s) {
		return false
	}
	knows := s.at[i] != gone && s.View(int(s.at[i])).Leaving().Has(i) || m.mutation == LeaveUninstalled
	return knows && (!s.active.Has(i) || m.mutation == LeaveHolding)
}

// MayJoin reports whether node j may be admitted next. A process that starts
// again is a new node.
func (m *Model) MayJoin(s *State, j int) bool {
	return m.unused(s, j) && m.Closed(s)
}

func (m *Model) unused(s *State, j int) bool {
	if j >= m.config.Nodes || s.Newest().Members().Has(j) {
		return false
	}
	return s.at[j] == 0 && !s.used.Has(j) || m.mutation == NamesReused
}

// MayLeave reports whether member i may be marked as leaving next.
func (m *Model) MayLeave(s *State, i int) bool {
	return m.config.Leaving && s.Newest().Active().Has(i) && m.Closed(s)
}

// mayChange reports whether c may be the next change of the view.
func (m *Model) mayChange(s *State, c change) bool {
	if !m.room(s) || c == (change{}) || c.remove&c.leave != 0 {
		return false
	}
	for i := range Nodes {
		if c.remove.Has(i) && !m.MayRemove(s, i) && !m.MayWithdraw(s, i) ||
			c.join.Has(i) && !m.MayJoin(s, i) || c.leave.Has(i) && !m.MayLeave(s, i) {
			return false
		}
	}
	return m.leavesSomebody(s.Newest(), c)
}

// leavesSomebody is false if a change would take out members by R1 to R3 and
// leave none. The last one to leave makes an empty view.
func (m *Model) leavesSomebody(v View, c change) bool {
	return after(v, c).Members() != 0 || v.Active() == 0
}

// room reports whether there may be another view.
func (m *Model) room(s *State) bool {
	return int(s.epoch) < min(m.config.Window, MaxViews) && (m.endless || int(s.changes) < m.config.Changes)
}

// mayOverwrite is the mutation BlindWrite: whoever goes by the view before the
// newest may have decided on c while that was the newest, and writes it now.
func (m *Model) mayOverwrite(s *State, c change) bool {
	e := int(s.epoch) - 1
	if m.mutation != BlindWrite || e < 1 || !m.room(s) || c.join|c.leave != 0 || c.remove == 0 {
		return false
	}
	for i := range Nodes {
		if c.remove.Has(i) && !m.mayRemoveFrom(s, e, i) {
			return false
		}
	}
	return after(s.View(e), c).Members() != 0
}

// after is the view that follows v.
func after(v View, c change) View {
	members := v.Members()&^c.remove | c.join
	return viewOf(members, (v.Leaving()|c.leave)&members)
}

// succeed makes v the newest view.
func (m *Model) succeed(s *State, v View) {
	s.epoch++
	s.setView(int(s.epoch), v)
	s.setEvidence(int(s.epoch), 0)
	s.made, s.override, s.forced = 0, false, false
	if m.mutation != OverrideTimerCarried {
		s.wait = 0
	}
	s.used |= v.Members()
	m.leaveView(s, Store)
	if !m.endless {
		s.changes++
	}
}

package model

// mayIntend reports whether somebody may write an override into the store.
func (m *Model) mayIntend(s *State) bool {
	return m.config.Override && !s.override && m.room(s)
}

// intend begins an override. From now on no read is evidence for the view.
func (m *Model) intend(s *State) {
	s.override = true
	if s.wait == 0 || m.mutation != OverrideTimerKept && m.mutation != OverrideTimerCarried {
		s.wait = 1
	}
}

// mayCancel reports whether a member that sees the store may end the override.
func (m *Model) mayCancel(s *State) bool { return m.config.Cancel && s.override }

// cancel has reads be evidence again. A later override waits anew.
func (m *Model) cancel(s *State) {
	s.override = false
	s.setEvidence(int(s.epoch), 0)
	if m.mutation != OverrideCancelIgnored && m.mutation != OverrideTimerKept {
		s.wait = 0
	}
}

// MayForce reports whether the override may make a view of those who survive,
// and of nodes that join them or come after them: it has stood for so long that
// nobody has fresh evidence for the newest view.
func (m *Model) MayForce(s *State, survivors Set) bool {
	if !s.override && m.mutation != OverrideCancelIgnored || s.wait == 0 || !m.room(s) {
		return false
	}
	v := s.Newest().Members()
	if survivors == 0 || survivors == v {
		return false
	}
	for j := range Nodes {
		if (survivors &^ v).Has(j) && !m.unused(s, j) {
			return false
		}
	}
	return int(s.wait)-1 >= m.config.Horizon || m.mutation == OverrideNoWait
}

func (m *Model) force(s *State, survivors Set) {
	m.succeed(s, viewOf(survivors, s.Newest().Leaving()&survivors))
	s.forced = m.config.Variant&OverrideCloses != 0
}

package model

// changes takes all view changes that are enabled and, if there is a plan,
// planned; of several members at once up to the batch.
func (x *Expander) changes() {
	m, s := x.m, x.from
	remove, join, leave := m.removals(s), m.joiners(s), m.leavers(s)
	if len(m.plan) > 0 {
		c := m.plan[s.changes]
		if c.force == 0 && c.remove&^remove == 0 && c.join&^join == 0 && c.leave&^leave == 0 {
			x.change(c)
		}
		return
	}
	for r := range subsets(remove) {
		for j := range subsets(join) {
			for l := range subsets(leave &^ r) {
				if n := r.Len() + j.Len() + l.Len(); n > 0 && n <= m.config.Batch && m.inOrder(join, j) {
					x.change(change{remove: r, join: j, leave: l})
				}
			}
		}
	}
}

func (x *Expander) change(c change) {
	if x.m.leavesSomebody(x.from.Newest(), c) {
		x.try(Step{Kind: Change, Remove: c.remove, Join: c.join, Leave: c.leave})
	}
}

// inOrder reports whether the nodes of join are the first of those that could
// join. Nodes whose number was used before are not in the order of their age.
func (m *Model) inOrder(could, join Set) bool {
	if m.config.Plain || m.endless || m.mutation == NamesReused {
		return true
	}
	return join == 0 || could&firstNodes(join.last()+1) == join
}

// removals are the members that may be taken out, of themselves or not.
func (m *Model) removals(s *State) Set {
	var set Set
	for r := range Nodes {
		if s.Newest().Members().Has(r) && (m.MayRemove(s, r) || m.MayWithdraw(s, r)) {
			set |= setOf(r)
		}
	}
	return set
}

func (m *Model) joiners(s *State) Set {
	if s.Newest().Members().Len() == m.config.Nodes || !m.Closed(s) {
		return 0
	}
	return m.unusedNodes(s)
}

func (m *Model) unusedNodes(s *State) Set {
	var set Set
	for j := range m.config.Nodes {
		if m.unused(s, j) {
			set |= setOf(j)
		}
	}
	return set
}

func (m *Model) leavers(s *State) Set {
	if !m.config.Leaving || !m.Closed(s) {
		return 0
	}
	return s.Newest().Active()
}

// subsets are all subsets of s, the empty one first.
func subsets(s Set) func(yield func(Set) bool) {
	return func(yield func(Set) bool) {
		for sub := Set(0); ; sub = (sub - s) & s {
			if !yield(sub) || sub == s {
				return
			}
		}
	}
}

package model

// Expander finds what can come of a state. It leaves out steps that only take
// something away from who takes them: with each such step there is a state that
// differs in that alone, and whatever can go wrong after the step can go wrong
// without it. Unless Config.Plain is set, it leaves out
//
//   - renewals by a member that neither holds the identity nor owns it in its
//     view. Its lease lets it do nothing, is dropped with the view, and the
//     promise only delays its removal. (Not if grants outlive views.)
//   - renewals by a member that cannot reach a majority in its view any more,
//     for the same reasons. Which grantors still could grant only shrinks.
//   - exclusions in views that are not the newest, and of members that no change
//     to come can remove: they let nobody do more.
//   - admitting an unused node while there is an older one. Nodes are numbered
//     in the order in which they are admitted; which of them the identity
//     prefers is the Ranking, and all rankings are explored.
//
// States are passed on as forget leaves them.
type Expander struct {
	m     *Model
	visit func(Step, *State)
	from  *State
	next  State
}

// Expander returns one that passes each state that differs from the one it came
// of to visit, which must not keep it.
func (m *Model) Expander(visit func(Step, *State)) *Expander {
	return &Expander{m: m, visit: visit}
}

// Expand visits what can come of s, which comes from Start or from an Expander.
func (x *Expander) Expand(s *State) {
	x.from = s
	x.try(Step{Kind: Tick})
	for i := range x.m.config.Nodes {
		if s.at[i] != gone {
			x.node(i)
		}
	}
	x.exclusions()
	if x.m.room(s) {
		x.changes()
		x.overrides()
	}
	x.broken()
}

// try takes a step that is enabled.
func (x *Expander) try(step Step) {
	x.next = *x.from
	x.m.apply(&x.next, step)
	if x.m.config.Audit {
		x.next.fault = x.m.faultOf(x.from, step, &x.next)
	}
	if !x.m.config.Plain {
		x.m.forget(&x.next, step.Kind)
	}
	if x.next != *x.from {
		x.visit(step, &x.next)
	}
}

// node takes the steps of one node.
func (x *Expander) node(i int) {
	m, s := x.m, x.from
	for e := 1; e <= int(s.epoch); e++ {
		if m.mayInstall(s, i, e) {
			x.try(Step{Kind: Install, Node: uint8(i), Behind: s.epoch - uint8(e)})
		}
	}
	if s.at[i] == 0 {
		return
	}
	if m.mayRelease(s, i) {
		x.try(Step{Kind: Release, Node: uint8(i)})
	}
	if m.MayActivate(s, i) {
		x.try(Step{Kind: Activate, Node: uint8(i)})
	}
	if !m.config.Plain && !m.worthRenewing(s, i) {
		return
	}
	for c := range grantors {
		if m.mayRenew(s, i, c) {
			x.try(Step{Kind: Renew, Node: uint8(i), Peer: uint8(c)})
		}
	}
}

// worthRenewing reports whether a grant could do node i any good.
func (m *Model) worthRenewing(s *State, i int) bool {
	e := int(s.at[i])
	matters := s.active.Has(i) || m.Owner(s.View(e)) == i || m.config.Variant&GrantsOutliveViews != 0
	return matters && m.canLease(s, i, e)
}

// canLease reports whether node i can have a lease in view e, now or later: a
// majority of the view's grantors grants to it, or still can. Once it is false
// it stays so, for nodes' epochs and their exclusions only grow. Most mutations
// change that, so it is true for all.
func (m *Model) canLease(s *State, i, e int) bool {
	if m.mutation != None {
		return true
	}
	if e < int(s.epoch) && !m.fresh(s, e) {
		return false
	}
	f := &m.facts[s.View(e)]
	n := 0
	for c := range grantors {
		if !f.grantors.Has(c) {
			continue
		}
		has := s.marks.has(counted, c, i) && (e == int(s.at[i]) || m.config.Variant&GrantsOutliveViews != 0)
		at := s.installed(c)
		if has || at < e || at == e && !s.marks.has(excluded, c, i) {
			n++
		}
	}
	return n >= int(f.quorum)
}

// exclusions has grantors of the newest view exclude members.
func (x *Expander) exclusions() {
	m, s := x.m, x.from
	targets := m.removable(s)
	if targets == 0 {
		return
	}
	for c := range grantors {
		if s.installed(c) != int(s.epoch) && !m.config.Plain {
			continue
		}
		for r := range Nodes {
			if targets.Has(r) && m.mayExclude(s, c, r) {
				x.try(Step{Kind: Exclude, Node: uint8(r), Peer: uint8(c)})
			}
		}
	}
}

// removable are the members that the next change may be meant to remove.
func (m *Model) removable(s *State) Set {
	members := s.Newest().Members()
	if m.config.Plain {
		return firstNodes(Nodes)
	}
	if !m.room(s) || members.Len() < 2 {
		return 0
	}
	if len(m.plan) > 0 {
		return m.plan[s.changes].remove
	}
	return members
}

// overrides takes the steps of an override. One that is not planned can begin
// and be overtaken by the change that is.
func (x *Expander) overrides() {
	m, s := x.m, x.from
	if !m.config.Override {
		return
	}
	planned := Set(0)
	if len(m.plan) > 0 {
		planned = m.plan[s.changes].force
	}
	if m.mayIntend(s) {
		x.try(Step{Kind: Intend})
	}
	if m.mayCancel(s) {
		x.try(Step{Kind: Cancel})
	}
	members, joiners := s.Newest().Members(), m.unusedNodes(s)
	for survivors := range subsets(members | joiners) {
		if (len(m.plan) == 0 || survivors == planned) && m.inOrder(joiners, survivors&^members) && m.MayForce(s, survivors) {
			x.try(Step{Kind: Force, Join: survivors})
		}
	}
}

// broken takes the steps that only mutations have.
func (x *Expander) broken() {
	m, s := x.m, x.from
	switch m.mutation {
	case GrantorRestarts:
		for c := range m.config.Nodes {
			if step := (Step{Kind: Restart, Peer: uint8(c)}); m.Enabled(s, step) {
				x.try(step)
			}
		}
	case BlindWrite:
		for r := range Nodes {
			if step := (Step{Kind: Overwrite, Remove: setOf(r)}); m.Enabled(s, step) {
				x.try(step)
			}
		}
	}
}

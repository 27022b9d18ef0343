package model

import (
	"fmt"
	"strings"
)

// Kind says what a step does.
type Kind uint8

// The kinds of steps, and which fields of Step each uses.
const (
	Tick      Kind = iota // time passes
	Renew                 // Node gets a grant of Peer
	Install               // Node goes by the view that is Behind the newest
	Release               // Node drops its activation
	Activate              // Node activates the identity
	Exclude               // Peer, a grantor, excludes Node
	Change                // Remove, Join, Leave: the next view is written
	Intend                // an override is written
	Cancel                // the override is taken back
	Force                 // the override makes a view of those in Join
	Overwrite             // Remove: a view is written over the newest (BlindWrite)
	Restart               // Peer, a grantor, starts again as the same (GrantorRestarts)
)

// Step is one thing that can happen. Fields that its kind does not use are zero.
type Step struct {
	Kind                Kind
	Node, Peer          uint8
	Behind              uint8 // 0 is the newest view
	Remove, Join, Leave Set
}

// Enabled reports whether the protocol, or what the mutation has left of it,
// allows the step.
func (m *Model) Enabled(s *State, step Step) bool {
	i, c := int(step.Node), int(step.Peer)
	if i >= Nodes || c >= grantors {
		return false
	}
	switch step.Kind {
	case Tick:
		return true
	case Renew:
		return m.mayRenew(s, i, c)
	case Install:
		return m.mayInstall(s, i, int(s.epoch)-int(step.Behind))
	case Release:
		return m.mayRelease(s, i)
	case Activate:
		return m.MayActivate(s, i)
	case Exclude:
		return m.mayExclude(s, c, i)
	case Change:
		return m.mayChange(s, step.change())
	case Intend:
		return m.mayIntend(s)
	case Cancel:
		return m.mayCancel(s)
	case Force:
		return m.MayForce(s, step.Join)
	case Overwrite:
		return m.mayOverwrite(s, step.change())
	case Restart:
		return m.mutation == GrantorRestarts && c != Store && s.at[c] != 0 && s.at[c] != gone
	}
	return false
}

// Apply returns the state after an enabled step. All facts are kept, so seven
// views are all that a sequence of steps can make.
func (m *Model) Apply(s State, step Step) State {
	t := s
	m.apply(&t, step)
	t.fault = m.faultOf(&s, step, &t)
	return t
}

func (m *Model) apply(s *State, step Step) {
	i, c := int(step.Node), int(step.Peer)
	switch step.Kind {
	case Tick:
		m.tick(s)
		return
	case Renew:
		m.renew(s, i, c)
		return
	case Exclude:
		s.marks |= excluded << (12*c + 3*i)
		return
	case Install:
		m.install(s, i, int(s.epoch)-int(step.Behind))
	case Release:
		s.active &^= setOf(i)
	case Activate:
		s.active |= setOf(i)
		s.token = max(s.token, s.at[i])
	case Change:
		m.succeed(s, after(s.Newest(), step.change()))
	case Intend:
		m.intend(s)
	case Cancel:
		m.cancel(s)
	case Force:
		m.force(s, step.Join)
	case Overwrite:
		m.succeed(s, after(s.View(int(s.epoch)-1), step.change()))
	case Restart:
		m.restart(s, c)
	}
	m.learn(s)
}

// restart has grantor c begin again without what it kept in memory.
func (m *Model) restart(s *State, c int) {
	s.marks &^= row(c)*excluded | column(c)*counted
	s.marks |= s.until.nonzero() & row(c) * forgotten
	s.older &^= row(c) * 7
	s.active &^= setOf(c)
}

func (t Step) change() change { return change{remove: t.Remove, join: t.Join, leave: t.Leave} }

// String is the step in a few words; the explorer's traces say more.
func (t Step) String() string {
	name := func(i uint8) string {
		if i == Store {
			return "store"
		}
		return fmt.Sprintf("n%d", i)
	}
	list := func(s Set) string {
		var names []string
		for i := range uint8(Nodes) {
			if s.Has(int(i)) {
				names = append(names, name(i))
			}
		}
		return strings.Join(names, " and ")
	}
	switch t.Kind {
	case Tick:
		return "a tick passes"
	case Renew:
		return fmt.Sprintf("%s gets a grant of %s", name(t.Node), name(t.Peer))
	case Install:
		if t.Behind > 0 {
			return fmt.Sprintf("%s installs the view %d before the newest", name(t.Node), t.Behind)
		}
		return name(t.Node) + " installs the newest view"
	case Release:
		return name(t.Node) + " releases the identity"
	case Activate:
		return name(t.Node) + " activates the identity"
	case Exclude:
		return fmt.Sprintf("%s excludes %s", name(t.Peer), name(t.Node))
	case Intend:
		return "an override is written"
	case Cancel:
		return "the override is cancelled"
	case Force:
		return "override: " + list(t.Join) + " make a view"
	case Restart:
		return name(t.Peer) + " restarts under its old id"
	case Overwrite:
		return "a view without " + list(t.Remove) + " is written over the newest"
	}
	var parts []string
	for _, p := range []struct {
		nodes Set
		what  string
	}{{t.Remove, "without "}, {t.Join, "with "}, {t.Leave, "leaving: "}} {
		if p.nodes != 0 {
			parts = append(parts, p.what+list(p.nodes))
		}
	}
	return "a new view " + strings.Join(parts, ", ")
}

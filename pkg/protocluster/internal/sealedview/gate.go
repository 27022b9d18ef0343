package sealedview

import (
	"iter"
	"slices"
)

// maxHistory bounds the views that a Gate remembers; beyond it, it goes by the
// barriers of all members.
const maxHistory = 64

// Gate decides which identities a member may activate in the view it has
// installed: those whose earlier owners have let go.
//
// A member tells another by a barrier: "I have installed this view, hold
// nothing that it assigns to you, and never again activate under an older one";
// or to all: "nothing that it assigns to others". Once every member of a view
// has said the latter, the views before do not matter any more.
type Gate struct {
	self     string
	history  []*View // each made of the one before; the last is installed
	whole    bool    // no view before the first of them matters
	barriers map[string]barrier
	rules    *Params
}

// barrier is the newest that a member has sent.
type barrier struct {
	view Stamp
	all  bool
}

func newGate(self string, rules *Params) *Gate {
	return &Gate{self: self, barriers: make(map[string]barrier), rules: rules}
}

// install adds the view that is now installed. A node that does not know the
// view before has no history: the views in between may have had any owner.
func (g *Gate) install(v *View) {
	last := len(g.history) - 1
	switch {
	case v.Before.Epoch == 0 && !v.Forced:
		g.history, g.whole = nil, true
	case last < 0 || v.Forced || g.history[last].Stamp != v.Before || last >= maxHistory:
		g.history, g.whole = nil, false
	}
	g.history = append(g.history, v)
	for id := range g.barriers {
		if !v.Has(id) {
			delete(g.barriers, id)
		}
	}
	g.prune()
}

// Barrier takes note of a barrier, which may be of a view not installed yet.
func (g *Gate) Barrier(from string, view Stamp, all bool) {
	b := g.barriers[from]
	switch {
	case view == b.view:
		all = all || b.all
	case view.Epoch <= b.view.Epoch:
		return
	}
	g.barriers[from] = barrier{view, all}
	if all {
		g.prune()
	}
}

// prune forgets the views before the installed one once all members have let go
// of what it assigns to others.
func (g *Gate) prune() {
	last := len(g.history) - 1
	if last < 0 || last == 0 && g.whole {
		return
	}
	v := g.history[last]
	for i := range v.Members {
		if id := v.Members[i].ID; id != g.self && !g.free(id, v) {
			return
		}
	}
	g.history, g.whole = []*View{v}, true
}

// free reports whether a member has let go of what v assigns to any other.
func (g *Gate) free(member string, v *View) bool { return g.barriers[member] == barrier{v.Stamp, true} }

// complete reports whether all members of the installed view, this one too, have
// let go of what it assigns to others.
func (g *Gate) complete() bool {
	v := g.history[len(g.history)-1]
	return !slices.ContainsFunc(v.Members, func(m Member) bool { return !g.free(m.ID, v) })
}

// gathered are those who have, as bits: member i of the view is bit i%8 of byte
// i/8. A barrier stays true whoever tells of it, and however late.
func (g *Gate) gathered() string {
	v := g.history[len(g.history)-1]
	of := make([]byte, (len(v.Members)+7)/8)
	for i := range v.Members {
		if g.free(v.Members[i].ID, v) {
			of[i/8] |= 1 << (i % 8)
		}
	}
	return string(of)
}

// relayed takes note of what another member of the installed view has gathered,
// and reports whether that is all.
func (g *Gate) relayed(of string) (all bool) {
	v := g.history[len(g.history)-1]
	all = true
	for i := range v.Members {
		switch id := v.Members[i].ID; {
		case i/8 >= len(of) || of[i/8]>>(i%8)&1 == 0:
			all = false
		case id != g.self && g.barriers[id].view.Epoch <= v.Epoch: // of itself it knows better
			g.barriers[id] = barrier{v.Stamp, true}
		}
	}
	g.prune()
	return all
}

// Open reports whether an identity may be activated here. owner says whom a
// view assigns it to.
func (g *Gate) Open(owner func(*View) string) bool {
	if !g.mine(owner) {
		return false
	}
	for range g.closedBy(owner) {
		return false
	}
	return true
}

// Owing names the members whose barrier has to come before an identity may be
// activated here, each once, and says whether the installed view assigns it to
// this member at all. Mine and nobody owing is Open.
func (g *Gate) Owing(owner func(*View) string) (members []string, mine bool) {
	if !g.mine(owner) {
		return nil, false
	}
	for id := range g.closedBy(owner) {
		if !slices.Contains(members, id) {
			members = append(members, id)
		}
	}
	return members, true
}

// mine reports whether the installed view assigns an identity to this member.
func (g *Gate) mine(owner func(*View) string) bool {
	last := len(g.history) - 1
	return last >= 0 && owner(g.history[last]) == g.self
}

// closedBy are the members that may hold an identity which the installed view
// assigns to this one; some come more than once.
func (g *Gate) closedBy(owner func(*View) string) iter.Seq[string] {
	last := len(g.history) - 1
	now, past := g.history[last], g.history[:last]
	if !g.rules.keeps(allBarriers) {
		past = past[max(0, last-1):]
	}
	return func(yield func(string) bool) {
		if !g.rules.keeps(barriers) {
			return
		}
		if !g.whole && g.rules.keeps(allBarriers) { // anybody may have been its owner
			for i := range now.Members {
				if id := now.Members[i].ID; !g.released(id, now) && !yield(id) {
					return
				}
			}
			return
		}
		for _, v := range past {
			if o := owner(v); now.Has(o) && !g.released(o, now) && !yield(o) {
				return
			}
		}
	}
}

// released reports whether a member has let go of what now assigns to this one.
// A barrier of another view is about what that assigns.
func (g *Gate) released(member string, now *View) bool {
	return member == g.self || g.barriers[member].view == now.Stamp
}

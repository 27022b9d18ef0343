package sealedview

import (
	"maps"
	"slices"
	"time"
)

// joiner is a node that has announced itself.
type joiner struct {
	Member
	since    time.Duration
	knocked  time.Duration
	answered time.Duration // when it last answered a Knock
	clashes  bool          // with a member, which is for it to notice: it stays outside
}

// ask has a node that is no member look at the store, and make itself known to
// the members.
func (n *Node) ask() {
	if n.now < n.renewAt {
		return
	}
	n.renewAt = n.now + n.p.Renew
	n.record.wanted = true
	v := n.record.view
	if v == nil {
		return
	}
	for i := range v.Members[:min(len(v.Members), councilSize)] {
		n.do(Send{&v.Members[i], Knock{}})
	}
}

// knocked answers a Knock. A member looks into the store for who it is. One that
// has drained, and has no lease, is as good as gone: if nobody else answers, a
// joiner may go on.
func (n *Node) knocked(from *Member) bool {
	if n.leave == drained && !n.leasing {
		return false
	}
	n.do(Send{from, Answer{}})
	switch {
	case n.view == nil:
		n.record.wanted, n.claim.since = true, n.now
	case n.inCouncil && n.peers[from.ID] == nil && n.joiners[from.ID] == nil:
		n.record.wanted = true
	}
	return false
}

// welcome takes in who has announced itself.
func (n *Node) welcome(announced []Member) {
	if !n.inCouncil {
		clear(n.joiners)
		return
	}
	present := make(map[string]bool, len(announced))
	for _, m := range announced {
		present[m.ID] = true
		if w := m.Was; n.view.Before.Epoch >= w.View.Epoch {
			n.hasMoved(w.ID) // not in favour of a fork
		}
		if n.joiners[m.ID] == nil && !n.view.Has(m.ID) {
			n.joiners[m.ID] = &joiner{Member: m, since: n.now, knocked: never, answered: never, clashes: clashes(&m, n.view.Members)}
		}
	}
	maps.DeleteFunc(n.joiners, func(id string, _ *joiner) bool { return !present[id] })
}

// admit adds the joiners that can be reached both ways, several at once, unless
// somebody is about to be removed: that takes them along. The oldest member goes
// first.
func (n *Node) admit() {
	if !n.inCouncil || len(n.joiners) == 0 || n.leave == drained && !n.leasing {
		return
	}
	turn, ready := n.turn(), false
	for _, id := range slices.Sorted(maps.Keys(n.joiners)) {
		j := n.joiners[id]
		if n.now-j.knocked >= n.p.Renew {
			j.knocked = n.now
			n.do(Send{&j.Member, Knock{}})
		}
		ready = ready || n.fits(j, len(n.view.Members)) && n.now-j.since >= n.p.Batch+turn
	}
	if ready && n.leasing && !n.removes() && n.mayWrite() {
		n.change(n.withJoiners(n.view.Members))
	}
}

func (n *Node) reaches(j *joiner) bool { return n.now-j.answered < 2*n.p.Renew }

// fits reports whether a joiner may be added to so many members.
func (n *Node) fits(j *joiner, members int) bool {
	return n.reaches(j) && !j.clashes && members < maxMembers
}

func clashes(m *Member, members []Member) bool {
	return slices.ContainsFunc(members, func(o Member) bool { _, clash := m.Clash(&o); return clash })
}

// withJoiners returns members and the joiners that can be reached, the youngest
// last: no more than a record may have, and none that clash.
func (n *Node) withJoiners(members []Member) []Member {
	members = slices.Clone(members)
	old := len(members)
	for _, id := range slices.Sorted(maps.Keys(n.joiners)) {
		if j := n.joiners[id]; n.fits(j, len(members)) && !clashes(&j.Member, members[old:]) {
			m := j.Member
			m.State, m.Was = Active, Past{}
			members = append(members, m)
		}
	}
	return members
}

// news reports whether a watch of the store came upon something new.
func (n *Node) news(e Seen) bool {
	if n.view == nil || e.View == nil || e.View.Nonce != n.view.Nonce {
		return true
	}
	return n.inCouncil && slices.ContainsFunc(e.Joiners, func(m Member) bool { return n.joiners[m.ID] == nil && !n.view.Has(m.ID) })
}

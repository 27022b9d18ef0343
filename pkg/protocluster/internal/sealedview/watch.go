package sealedview

import (
	"slices"
	"time"
)

// maxRemovals bounds how many members are being removed at once.
const maxRemovals = 64

// watchOver starts the removal of members that are to be accused. The oldest of
// the council goes first, the next if nothing comes of that. Where the store
// votes this need not wait for the lease, as the store's promise takes longer.
func (n *Node) watchOver() {
	if !n.leasing && !slices.Contains(n.lease.voters, StoreGrantor) {
		return
	}
	wait := time.Duration(-1)
	for _, p := range n.watched() {
		if len(n.removals) >= maxRemovals || !n.accuses(p) || n.removing(p.ID) {
			continue
		}
		if wait < 0 {
			wait = n.turn()
		}
		since, excluded := n.excluded[p.ID]
		if n.overdue(p) < wait && !excluded {
			continue
		}
		r := newRemoval(n.view, p.ID, n.now)
		r.stored(n.p, since, excluded)
		n.removals = append(n.removals, r)
		n.asked, n.record.wanted = never, true
	}
}

// watched are the peers that this node watches over: all, as one of the council,
// or else the council, if it takes over.
func (n *Node) watched() []*peer {
	switch {
	case n.inCouncil:
		return n.others
	case n.takesOver():
		return n.council
	}
	return nil
}

// takesOver reports whether the council is gone and the others can do without:
// where the store grants the leases.
func (n *Node) takesOver() bool {
	alive := func(p *peer) bool { return n.silent(p) < n.p.Suspect+n.p.Lease }
	return n.view.Mode == Store && !n.inCouncil && !slices.ContainsFunc(n.council, alive)
}

// removes reports whether somebody is about to be removed, by this node or by
// another. What can wait for that does: it would have to begin again in the next
// view. It waits for what is certain to end, and else no longer than a removal takes
// that begins with a new view, whose members have yet to miss each other.
func (n *Node) removes() bool {
	under := len(n.removals) > 0 || len(n.view.Excluded) > 0 || n.now-n.heardOf < n.p.Renew
	certain := func(r *removal) bool { return r.due(n.p, n.lease.sealed) != maxTime && n.seconded(r) }
	patience := n.p.Suspect + n.p.Outlast(n.p.Lease) + n.p.Lease/2
	return under && (n.now-max(n.made, n.gained) < patience || slices.ContainsFunc(n.removals, certain))
}

func (n *Node) removing(id string) bool {
	return slices.ContainsFunc(n.removals, func(r *removal) bool { return r.target == id })
}

// remove asks the grantors to exclude the targets of the removals under way, and
// writes the next view as soon as that is allowed.
func (n *Node) remove() {
	n.removals = slices.DeleteFunc(n.removals, func(r *removal) bool {
		// It is back, and can have a lease. Those who have excluded it
		// do so until the next view.
		return !n.accuses(n.peers[r.target]) && !r.settled()
	})
	if len(n.removals) == 0 {
		return
	}
	for _, r := range n.removals {
		n.consultBefore(r)
	}
	if n.now-n.asked >= n.p.Renew/4 {
		n.asked = n.now
		n.askToExclude()
	}
	for _, r := range n.removals {
		if r.shown {
			n.excludeMyself(r)
		}
	}
	if targets := n.removable(); len(targets) > 0 && n.leasing && n.hearsMajority() && n.mayWrite() {
		n.change(n.withJoiners(n.view.without(targets...)))
	}
}

// consultBefore has the store asked before anybody is to exclude the target.
// Without the store it cannot be taken out; and there is no way back for whoever
// is excluded but another view, which takes the store as well.
func (n *Node) consultBefore(r *removal) {
	s := &n.record
	switch {
	case r.shown:
	case s.contact >= r.since && s.view != nil && s.view.Stamp == n.view.Stamp:
		r.shown, n.asked = true, never
	default:
		s.wanted = true
	}
}

// askToExclude asks the council, which grants the leases or, where the store
// does, has to find a second accuser.
func (n *Node) askToExclude() {
	for _, p := range n.council {
		for _, r := range n.removals {
			if p.ID != r.target && r.shown {
				n.do(Send{p.Member, Exclude{n.view.Stamp, r.target}})
			}
		}
	}
	n.askStore()
}

// askStore has the store exclude the targets, if it votes.
func (n *Node) askStore() {
	excluded := n.view.Excluded
	if !slices.Contains(n.lease.voters, StoreGrantor) || slices.Contains(excluded, n.config.Self.ID) || !n.mayWrite() {
		return
	}
	for _, r := range n.removals {
		if !slices.Contains(excluded, r.target) && n.seconded(r) && r.shown {
			excluded = append(slices.Clip(excluded), r.target)
		}
	}
	if len(excluded) > len(n.view.Excluded) {
		n.write(n.view.amended(n.nonce(), func(v *View) { v.Excluded = excluded }))
	}
}

// excludeMyself has this node as a grantor exclude the target, last of the
// majority that it takes: alone it would only weaken the target's lease.
func (n *Node) excludeMyself(r *removal) {
	self := n.config.Self.ID
	a := Excluded{View: n.view.Stamp, Target: r.target, Remaining: n.grantor.Remaining(n.now, r.target)}
	if n.isGrantor && len(r.times())+1 >= Quorum(len(r.voters)) {
		n.grantor.Exclude(n.view.Stamp, r.target)
	}
	a.Excluded = n.grantor.Excludes(r.target)
	r.answer(n.p, n.now, self, a)
}

// seconded reports whether somebody else accuses the target, or there is nobody
// else.
func (n *Node) seconded(r *removal) bool {
	return r.seconded || !slices.ContainsFunc(n.council, func(p *peer) bool {
		return p.ID != r.target && n.silent(p) < n.p.Suspect
	})
}

// removable are the targets that may be taken out of the view now, none if it is
// better to wait for more of them: the next change has to wait for a lease.
func (n *Node) removable() []string {
	var ready []string
	first, wait := maxTime, slices.ContainsFunc(n.watched(), n.falters)
	for _, r := range n.removals {
		switch due := r.due(n.p, n.lease.sealed); {
		case due == maxTime || !n.seconded(r):
			wait = wait || n.now-r.since < n.p.Renew
		case due <= n.now:
			ready = append(ready, r.target)
			first = min(first, due)
		case due <= n.now+n.p.Lease/2:
			wait = true
		}
	}
	if wait && n.now-first < n.p.Lease/2 {
		return nil
	}
	return ready
}

// falters reports whether a peer has missed so many renewals that it may be next
// to be accused.
func (n *Node) falters(p *peer) bool {
	return n.silent(p) >= 2*n.p.Renew+n.p.Renew/2 && !n.removing(p.ID)
}

// unlock makes a new view of the same members if this node, or the council as a
// whole, cannot get a lease although everybody is there: some may have excluded
// others in vain, and only another view ends that. It takes nobody's place.
func (n *Node) unlock() {
	if !n.hopeful() {
		n.claim.hoping = n.now
	}
	if n.leasing || !n.inCouncil && !n.takesOver() {
		return
	}
	locked := n.now-max(n.served, n.claim.hoping, n.grantable()) >= n.p.Lease+n.turn()
	if (locked || n.mayMend()) && n.mayWrite() {
		n.change(n.view.Members)
	}
}

// grantable is since when the store can have granted a lease, where that may take
// the store: it has to be watched for a while first, and before that nobody is
// locked out.
func (n *Node) grantable() time.Duration {
	if n.view.Mode == Store || len(n.view.Members) <= 2 {
		return n.record.since + n.p.Outlast(n.p.Settle)
	}
	return never
}

// mayMend reports whether all that keeps the store from being believed again is a
// view above those that it has lost.
func (n *Node) mayMend() bool {
	return n.record.torn && n.record.lostTo == n.view.Stamp && n.lease.Sealed() && n.hearsMajority() &&
		n.settled(n.now-n.turn())
}

// change writes the next view, if that has a future.
func (n *Node) change(members []Member) {
	if next := n.view.next(members, n.nonce(), n.millis()); n.viable(next) {
		n.write(next)
	}
}

// viable reports whether most of a view's grantors can be heard, as somebody has
// to grant leases in it.
func (n *Node) viable(v *View) bool {
	grantors, heard := v.Grantors(), 0
	for _, id := range grantors {
		p, j := n.peers[id], n.joiners[id]
		if id == StoreGrantor || id == n.config.Self.ID || p != nil && n.silent(p) < n.p.Suspect || j != nil && n.reaches(j) {
			heard++
		}
	}
	return len(v.Members) == 0 || heard >= Quorum(len(grantors))
}

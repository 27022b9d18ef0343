package sealedview

import (
	"slices"
	"time"
)

// renew asks the grantors for the lease again. The council is asked whether it
// grants or not: it watches over the members by this.
func (n *Node) renew() {
	if n.now < n.renewAt {
		return
	}
	n.renewAt = n.now + n.p.Renew
	n.seq++
	n.sent[n.seq%uint64(len(n.sent))] = renewal{n.seq, n.now}
	if len(n.council) > 0 {
		ask := Renew{n.view.Stamp, n.seq, n.leasing}
		for _, p := range n.council {
			n.do(Send{p.Member, ask})
		}
	}
	self := n.config.Self.ID
	if n.isGrantor && n.mayGrantItself() && n.grantor.Grant(n.p, n.now, n.view.Stamp, self) {
		n.lease.Grant(self, n.now)
	}
	if n.needsStore() {
		n.record.wanted = true
	}
}

// mayGrantItself is true but for a member that is alone and has lost its lease:
// it first has to see that the store still shows its view.
func (n *Node) mayGrantItself() bool {
	return len(n.lease.voters) > 1 || n.leased() || n.settled(n.now) && n.lease.evidence > n.now-n.p.Term()
}

// needsStore reports whether this renewal takes a read of the store: where it
// votes or one of two members may have to notice alone that it went back, where
// there is no lease, and now and then for fresh evidence. The oldest member that
// reaches the store reads it for all.
func (n *Node) needsStore() bool {
	return len(n.view.Members) <= 2 || n.now-n.served > n.p.Renew || n.now-n.lease.evidence > n.p.refresh(n.rank) ||
		slices.Contains(n.lease.voters, StoreGrantor)
}

// grant answers a member that asks for its lease.
func (n *Node) grant(member string, r Renew) Grant {
	g := Grant{View: n.view.Stamp, Seq: r.Seq, Sealed: n.lease.Sealed(), StoreAge: -1}
	g.Leased = n.leased() && n.lease.doubt == maxTime && !n.record.torn
	if n.isGrantor {
		g.Granted = n.grantor.Grant(n.p, n.now, r.View, member)
	}
	if n.lease.evidence != never {
		g.StoreAge = n.now - n.lease.evidence
	}
	return g
}

// granted takes in a grant. It counts from when it was asked for.
func (n *Node) granted(from string, g Grant) {
	r := n.sent[g.Seq%uint64(len(n.sent))]
	if r.seq != g.Seq || g.Seq == 0 || g.View != n.view.Stamp && n.p.keeps(sameView) {
		return
	}
	if !n.p.keeps(fromSending) {
		r.at = n.now
	}
	if g.Granted {
		n.lease.Grant(from, r.at)
	}
	if g.StoreAge >= 0 && !n.record.torn {
		n.lease.Evidence(r.at - g.StoreAge)
		if g.Leased {
			n.lease.Vouch(r.at)
		}
	}
	if g.Sealed {
		n.lease.Seal(n.now)
	}
}

// exclude answers a member that wants to take another out. The second accuser
// is this node: it agrees if it accuses the target as well.
func (n *Node) exclude(m Exclude) Excluded {
	a := Excluded{View: n.view.Stamp, Target: m.Target}
	if m.View == n.view.Stamp {
		n.heardOf = n.now
		if p := n.peers[m.Target]; p != nil && n.accuses(p) {
			n.grantor.Exclude(m.View, m.Target)
		}
		a.Excluded = n.grantor.Excludes(m.Target)
	}
	a.Remaining = n.grantor.Remaining(n.now, m.Target)
	return a
}

// nextSuspicion is when the next peer may have to be accused.
func (n *Node) nextSuspicion() time.Duration {
	next := maxTime
	for _, p := range n.others {
		if due := p.heard + n.p.Suspect; due > n.now {
			next = min(next, due)
		} else {
			next = min(next, n.now+n.p.Renew/10)
		}
	}
	return next
}

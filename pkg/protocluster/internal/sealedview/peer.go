package sealedview

import "time"

// peer is what a node knows of another member of its view.
type peer struct {
	*Member
	heard   time.Duration // the last sign of life
	fit     time.Duration // the last that came with a lease
	barrier outgoing
	relay   outgoing // of the barriers of others

	pushed    time.Duration // when the installed view was last handed on to it
	inCouncil bool
}

// meet gets to know the members of a view that is being installed.
func (n *Node) meet(v *View) {
	known := n.peers
	n.peers = make(map[string]*peer, len(v.Members))
	n.others, n.council = nil, nil
	n.inCouncil, n.isGrantor = false, false
	for i := range v.Members {
		m := &v.Members[i]
		delete(n.joiners, m.ID)
		if m.ID == n.config.Self.ID {
			n.rank, n.inCouncil = i, i < councilSize
			continue
		}
		p := &peer{Member: m, heard: n.now, fit: n.now, pushed: never, inCouncil: i < councilSize}
		if old, ok := known[m.ID]; ok {
			p.heard = old.heard
		}
		n.peers[m.ID] = p
		n.others = append(n.others, p)
		if p.inCouncil {
			n.council = append(n.council, p)
		}
	}
	n.relay()
	for _, j := range n.joiners {
		j.clashes = clashes(&j.Member, v.Members)
	}
	for _, id := range n.lease.voters {
		n.isGrantor = n.isGrantor || id == n.config.Self.ID
	}
}

// silent is for how long nothing was heard of a peer.
func (n *Node) silent(p *peer) time.Duration { return n.now - p.heard }

// unfit is for how long a peer has said that it has no lease while this node
// had one.
func (n *Node) unfit(p *peer) time.Duration {
	if !n.leasing {
		return 0
	}
	return n.now - max(p.fit, n.gained)
}

// overdue is for how long a peer is to be accused. One that is heard and yet
// gets no lease cannot hear, or is stuck in a view that the store lost; or it is
// new, and has to read the store for a while.
func (n *Node) overdue(p *peer) time.Duration {
	grace := n.p.Outlast(n.p.Settle) + 2*n.p.Renew + n.p.Suspect
	return max(n.silent(p)-n.p.Suspect, n.unfit(p)-grace)
}

// accuses reports whether a peer should be taken out of the view. A node that
// was late itself, or that hears no majority, accuses nobody. Where the store
// alone votes, who hears no majority of the council leaves it time to go first.
func (n *Node) accuses(p *peer) bool {
	late := n.overdue(p)
	if late < 0 || n.now < n.doubt || !n.hearsMajority() {
		return false
	}
	return n.view.Mode != Store || n.hearsCouncil() || late >= n.p.patience()
}

// hearsCouncil reports whether a majority of the council was heard lately. Of two
// members, one is enough.
func (n *Node) hearsCouncil() bool {
	size, heard := len(n.council), 0
	if n.inCouncil {
		size, heard = size+1, 1
	}
	for _, p := range n.council {
		if n.silent(p) < n.p.Suspect {
			heard++
		}
	}
	return size <= 2 || heard >= Quorum(size)
}

// hearsMajority reports whether a majority of the grantors was heard lately.
func (n *Node) hearsMajority() bool {
	heard := 0
	for _, id := range n.lease.voters {
		p := n.peers[id]
		switch {
		case id == n.config.Self.ID,
			id == StoreGrantor && n.now-n.record.contact < n.p.Suspect,
			p != nil && n.silent(p) < n.p.Suspect:
			heard++
		}
	}
	return heard >= Quorum(len(n.lease.voters))
}

// turn is how long this node lets those before it act: the older members that
// it hears.
func (n *Node) turn() time.Duration {
	rank := 0
	self := n.view.index(n.config.Self.ID)
	for i := range n.view.Members[:self] {
		if p := n.peers[n.view.Members[i].ID]; n.silent(p) < n.p.Suspect {
			rank++
		}
	}
	return time.Duration(rank) * n.config.Stagger
}

// receive takes in a message and reports whether there may be something to do
// at once. Only members of the installed view have a say.
func (n *Node) receive(from *Member, m Message) bool {
	if _, ok := m.(Knock); ok {
		return n.knocked(from)
	}
	if n.view == nil { // somebody knows of this node: it may be a member by now
		n.record.wanted, n.claim.since = true, n.now
		return false
	}
	switch m := m.(type) {
	case Answer:
		if j := n.joiners[from.ID]; j != nil {
			j.answered = n.now
		}
		return true
	case Push:
		n.pushed(from, m.View)
		return true
	}
	p := n.peers[from.ID]
	if p == nil {
		if r, ok := m.(Renew); ok && r.View.Epoch < n.view.Epoch {
			n.pushTo(from) // it has not heard yet that it is gone
		} else {
			n.record.wanted = true
		}
		return false
	}
	p.heard = n.now
	return n.hear(p, m)
}

// hear takes in what a member says.
func (n *Node) hear(p *peer, m Message) bool {
	switch m := m.(type) {
	case Renew:
		if m.Serves {
			p.fit = n.now
		} else if n.now-n.lease.evidence > n.p.Renew {
			n.record.wanted = true // it may need newer evidence, and not get it itself
		}
		n.know(p, m.View)
		n.do(Send{p.Member, n.grant(p.ID, m)})
	case Grant:
		n.know(p, m.View)
		n.granted(p.ID, m)
	case Exclude:
		n.know(p, m.View)
		n.do(Send{p.Member, n.exclude(m)})
	case Excluded:
		n.know(p, m.View)
		for _, r := range n.removals {
			if r.target == m.Target {
				r.seconded = r.seconded || m.Excluded && p.ID != r.target
				r.answer(n.p, n.now, p.ID, m)
			}
		}
		return true
	case Barrier:
		n.know(p, m.View)
		return n.released(p, m)
	case Heard:
		p.relay.heard(n.view.Stamp, m)
		p.barrier.heard(n.view.Stamp, m)
	}
	return false
}

// know takes note of the view that a member has installed, and sees to it that
// the one who is behind catches up. A newer view is only believed when seen.
func (n *Node) know(p *peer, view Stamp) {
	switch {
	case view == n.view.Stamp:
		n.hasMoved(p.ID)
	case view.Epoch >= n.view.Epoch:
		n.record.wanted = true
	case n.now-p.pushed >= n.p.Renew/2: // it may be under way
		p.pushed = n.now
		n.pushTo(p.Member)
	}
}

// pushTo hands the installed view on.
func (n *Node) pushTo(m *Member) { n.do(Send{m, Push{n.view}}) }

// pushed takes in a view from a member, who has installed it.
func (n *Node) pushed(from *Member, v *View) {
	switch {
	case v != nil && v.Stamp == n.view.Stamp:
		n.hasMoved(from.ID) // or has left, which is as good
	case v == nil || !n.view.Has(from.ID) || v.Cluster != n.view.Cluster || v.Check() != nil:
		n.record.wanted = true
	case n.follows(v):
		n.install(v)
		if !n.evicted {
			n.hasMoved(from.ID)
		}
	case v.Epoch >= n.view.Epoch:
		n.record.wanted = true
	}
}

// follows reports whether v may be installed.
func (n *Node) follows(v *View) bool {
	return v.follows(n.view) || !n.p.keeps(noForks) && v.Epoch > n.view.Epoch
}

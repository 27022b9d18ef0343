package sealedview

import "time"

// claim is what a node knows and does about an override: the way out when a
// majority of the grantors is gone at once, so that no removal can go on, or all
// members are. The intent stands in the store until nobody can have fresh
// evidence of any view any more; then whoever is left goes on. Who has a lease
// takes the intent back.
type claim struct {
	intent   string        // that stands; "" if none does
	standing time.Duration // since then, or longer
	hoped    time.Duration // when this member was hopeful last
	hoping   time.Duration // since when it is
	since    time.Duration // a joiner has had no sign of a member since then
	nonce    string        // of the record it saw then
	attempts int           // intents in vain, for pauses that grow
	told     time.Duration // when progress was told last
	own      string        // the intent that this node declared last
	fought   string        // the cluster whose record was overwritten
}

// observe takes note of an intent, or that none stands. One that was taken back
// and stands again is another.
func (n *Node) observe(v *View) {
	c := &n.claim
	if v.Override != "" && v.Override != c.intent && (n.p.keeps(sameIntent) || c.standing == 0) {
		c.standing = n.now
	}
	c.intent = v.Override
	if v.Nonce != c.nonce {
		c.nonce, c.since = v.Nonce, n.now
	}
}

// override declares, takes back or carries out an override, whichever is due.
func (n *Node) override() {
	switch {
	case n.view != nil && n.hopeful() && n.claim.intent == "":
		n.claim.hoped = n.now
	case n.evicted || n.busy() || n.record.stale || n.leave == drained || n.now-n.record.contact > n.p.Lease:
	case n.claim.intent == "":
		n.declare()
	case n.hopeful():
		n.write(n.view.amended(n.nonce(), func(v *View) { v.Override = "" }))
	default:
		n.carryOut()
	}
}

// hopeful reports whether there is a way without an override: the store shows the
// installed view, that is sealed, and a majority of its grantors is there. Who is
// hopeful takes back what others declare; that is always safe.
func (n *Node) hopeful() bool {
	v := n.record.view
	return n.view != nil && v != nil && v.Stamp == n.view.Stamp && !n.record.torn && n.lease.doubt == maxTime &&
		n.lease.Sealed() && n.hearsMajority()
}

// declare writes the intent, if there has been no hope for long.
func (n *Node) declare() {
	patience := n.p.patience() << min(n.claim.attempts, 4)
	v := n.record.view
	if n.view == nil {
		if v == nil || n.now-n.claim.since < patience {
			return
		}
		n.warn("no member of the view of epoch %d answers; taking its place in %v unless one does", v.Epoch, n.p.Stale().Round(time.Second))
	} else {
		if n.leased() || n.now-max(n.served, n.claim.hoped) < patience+n.turn() || n.record.garbled {
			return
		}
		if v == nil || v.Epoch < n.view.Epoch {
			v = n.view // the store has lost it: it comes back with the intent
		}
		n.warn("no majority of the grantors %v of epoch %d for %v; going on without it in %v",
			v.Grantors(), v.Epoch, (n.now - n.served).Round(time.Second), n.p.Stale().Round(time.Second))
	}
	n.claim.attempts++
	nonce := n.nonce()
	n.claim.own = nonce
	n.write(v.amended(nonce, func(v *View) { v.Override = nonce }))
}

// carryOut goes on without those who are gone, once the intent has stood for
// long enough. A node that is no member carries out another's late.
func (n *Node) carryOut() {
	wait, v := n.p.Stale(), n.record.view
	if !n.p.keeps(overrideWait) {
		wait = 0
	}
	if v == nil || v.Override == "" || v.Override != n.claim.intent {
		return
	}
	if n.view != nil {
		wait += n.turn()
	} else if v.Override != n.claim.own {
		wait += n.p.patience()
	}
	if left := n.claim.standing + wait - n.now; left > 0 {
		n.progress(left)
		return
	}
	next := v.next(n.survivors(v), n.nonce(), n.millis())
	if n.view != nil {
		next.Epoch = max(next.Epoch, n.view.Epoch+1)
	}
	next.Forced, next.Previous = true, nil
	n.write(next)
}

// survivors are the members that this node hears, itself, and who can join.
func (n *Node) survivors(v *View) []Member {
	if n.view == nil {
		return []Member{n.config.Self}
	}
	var gone []string
	for i := range v.Members {
		id := v.Members[i].ID
		if p := n.peers[id]; id != n.config.Self.ID && (p == nil || n.silent(p) >= n.p.Suspect) {
			gone = append(gone, id)
		}
	}
	return n.withJoiners(v.without(gone...))
}

// progress tells now and then how long an override has to wait.
func (n *Node) progress(left time.Duration) {
	if n.now-n.claim.told >= 10*time.Second {
		n.claim.told = n.now
		n.warn("an override of epoch %d stands; going on in %v", n.record.view.Epoch, left.Round(time.Second))
	}
}

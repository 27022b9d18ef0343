package sealedview

// lost takes in that the store has no record, or none of this cluster; why says
// what it has.
func (n *Node) lost(why error) {
	switch {
	case n.view == nil && why != nil:
		n.warn("cannot join: %v; repair the record, or delete it to begin another cluster", why)
	case n.view == nil && !n.busy():
		n.begin()
	case n.view == nil:
	case n.mayRestore():
		n.restore(why)
	case n.record.view != nil: // another cluster has taken this one's place
		n.warn("the store has lost this cluster: %v; joining that", why)
		n.evict(n.record.view)
	case why != nil:
		n.warn("the store has lost the view of epoch %d: %v; this member does not serve until it is repaired, or deleted",
			n.view.Epoch, why)
	default:
		n.warn("the store has lost the view of epoch %d; this member does not serve", n.view.Epoch)
	}
}

// begin makes the first view of a cluster.
func (n *Node) begin() {
	nonce := n.nonce()
	n.write(&View{
		Cluster: n.config.Cluster, Stamp: Stamp{max(1, n.millis()), nonce}, Nonce: nonce,
		Mode: n.config.Mode, Members: []Member{n.config.Self},
	})
}

// diverged takes in a view that the installed one was not made into: the store
// went back, as with a restored backup, and may have gone on from there.
func (n *Node) diverged(v *View) {
	switch {
	case n.mayRestore():
		n.restore(nil)
	case !v.Has(n.config.Self.ID) && (v.Epoch > n.view.Epoch || n.overtaken(v)):
		n.evict(v)
	default:
		n.warn("the store went back to epoch %d, as a restored backup does; this member, of epoch %d, does not serve",
			v.Epoch, n.view.Epoch)
	}
}

// overtaken reports whether others have gone on with a view made of the one before
// the installed one, or of a later one, for so long that nobody who goes by the
// installed one can have a lease. Its epoch need not be higher: nobody who made it
// knew of this one.
func (n *Node) overtaken(v *View) bool {
	return n.settled(n.now) && v.Before.Epoch >= n.view.Before.Epoch
}

// mayRestore reports whether this node may write its view back. With a lease it
// may: no other view made of the same one can be sealed, so nobody serves in one.
// It does so over another cluster's record once, lest two fight over one key.
func (n *Node) mayRestore() bool {
	if n.p.keeps(leasedRestore) && !n.leased() {
		return false
	}
	v := n.record.view
	return v == nil || v.Cluster == n.view.Cluster || n.claim.fought != v.Cluster
}

// restore writes the installed view into a store that has lost it, as a newer
// one.
func (n *Node) restore(why error) {
	if n.busy() {
		return
	}
	epoch := n.millis()
	if v := n.record.view; v != nil {
		epoch = max(epoch, v.Epoch+1)
		if v.Cluster != n.view.Cluster {
			n.claim.fought = v.Cluster
		}
	}
	if why == nil {
		n.warn("the store has lost the view of epoch %d; writing it again", n.view.Epoch)
	} else {
		n.warn("the store has lost the view of epoch %d: %v; writing it again", n.view.Epoch, why)
	}
	n.write(n.view.next(n.view.Members, n.nonce(), epoch))
}

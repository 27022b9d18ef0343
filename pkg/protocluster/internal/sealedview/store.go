package sealedview

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// record is what is known of the store. One operation is under way at a time.
type record struct {
	view    *View  // shown last; nil if there was none
	garbled bool   // there was something else
	read    bool   // once at least
	version uint64 // of it
	stale   bool   // a write has shown that it is something else by now, or may be
	wanted  bool   // to be read as soon as possible
	reading bool
	pending *View         // being written
	dated   bool          // what is under way began before the clock stood still
	mine    string        // the seal of the view written last
	retry   time.Duration // not before
	since   time.Duration // reads have had no long gap since then, and shown nothing that does not follow
	torn    bool          // what began then was not a gap: the store has lost something
	lostTo  Stamp         // and went to that view
	contact time.Duration // when the last of them was sent
	nonces  uint64
}

// consult reads the store if there is a reason to.
func (n *Node) consult() {
	if n.record.wanted && !n.busy() && n.now >= n.record.retry && !n.evicted {
		n.record.wanted, n.record.reading, n.record.dated = false, true, false
		n.record.retry = n.now + n.p.Renew/25 // whatever happens, a store is not asked all the time
		n.do(ReadStore{})
	}
}

func (n *Node) busy() bool { return n.record.reading || n.record.pending != nil }

// read takes in what the store showed.
func (n *Node) read(e Read) {
	n.record.reading = false
	if e.Err != nil {
		n.record.retry, n.record.wanted = n.now+n.p.Renew, true
		return
	}
	if n.outdated() {
		return
	}
	n.inContact(e.Sent)
	if n.view != nil && e.Sent < n.made && (e.View == nil || !e.View.follows(n.view)) {
		n.record.wanted = true // sent before the view was known: it may have been too early
		return
	}
	if n.record.read && !n.continues(e) {
		n.tear(e.Sent, e.View)
	}
	n.record.view, n.record.version, n.record.garbled = e.View, e.Version, e.Garbled != nil
	n.record.read, n.record.stale = true, false
	if n.view != nil && (e.View == nil || !e.View.succeeds(n.view)) {
		n.lease.Doubt(e.Sent)
	}
	if e.View == nil {
		n.claim.intent = "" // it is gone with the record
		n.lost(e.Garbled)
	} else {
		n.shown(e.Sent, e.View)
	}
	if n.view != nil && !n.evicted {
		n.welcome(e.Joiners)
	}
}

// continues reports whether the store can show this after what it showed last
// without having lost anything.
func (n *Node) continues(e Read) bool {
	before := n.record.view
	switch {
	case n.record.garbled || e.Garbled != nil:
		return n.record.garbled && e.Garbled != nil
	case before != nil && e.View != nil:
		// Once the store has lost the installed view, only another loss
		// brings it back.
		back := n.view != nil && n.lease.doubt != maxTime && before.Stamp != n.view.Stamp && e.View.Stamp == n.view.Stamp
		return e.View.succeeds(before) && !back
	case before != nil:
		return false
	}
	return e.View == nil || e.View.Before.Epoch == 0 && n.view == nil // somebody has begun a cluster
}

// wrote takes in what became of a write.
func (n *Node) wrote(e Wrote) {
	v := n.record.pending
	if v == nil || e.Nonce != v.Nonce {
		return
	}
	n.record.pending = nil
	if !e.Applied {
		n.record.wanted, n.record.stale = true, true
		if e.Err != nil {
			n.record.retry = n.now + n.p.Renew/2
		}
		return
	}
	if n.outdated() {
		return
	}
	n.inContact(e.Sent)
	if b := n.record.view; n.view != nil && v.Stamp == n.view.Stamp && (b == nil || b.Stamp != v.Stamp) {
		n.tear(e.Sent, v) // it was lost, and is back with an intent
	}
	n.record.view, n.record.version, n.record.garbled = v, e.Version, false
	if n.view != nil && v.Epoch < n.view.Epoch {
		n.record.wanted = true // there is a newer view by now
		return
	}
	n.shown(e.Sent, v)
}

// outdated reports whether an answer of the store is of no use, for nobody knows
// how long ago it was asked for; the store is read instead.
func (n *Node) outdated() bool {
	if n.record.dated {
		n.record.wanted, n.record.stale = true, true
	}
	return n.record.dated
}

// inContact takes note of an answer of the store to a request sent at sent.
func (n *Node) inContact(sent time.Duration) {
	if sent-n.record.contact > n.p.Term() {
		n.record.since = sent
	}
	n.record.contact = max(n.record.contact, sent)
}

// tear takes note that the store has lost something, and shows v instead.
func (n *Node) tear(sent time.Duration, v *View) {
	n.record.since, n.record.torn, n.record.lostTo = sent, true, Stamp{}
	if v != nil {
		n.record.lostTo = v.Stamp
	}
}

// mends reports whether a view that the store shows does away with a tear: others
// had the time to write back what was lost, and nobody did. It takes a view made
// since, as its epoch has to be above those that were lost.
func (n *Node) mends(now time.Duration, v Stamp) bool {
	return n.settled(now) && v != n.record.lostTo
}

// settled reports whether the store was watched for long enough, without a
// break, to rely on what it shows.
func (n *Node) settled(now time.Duration) bool {
	r := &n.record
	return now-r.contact < n.p.Term() && r.contact-r.since >= n.p.Outlast(n.p.Settle) || !n.p.keeps(settling)
}

// shown takes in a record of the store, which was there at an instant after sent.
func (n *Node) shown(sent time.Duration, v *View) {
	n.observe(v)
	switch {
	case n.view == nil:
		n.enter(sent, v)
	case v.Cluster != n.view.Cluster:
		n.lost(fmt.Errorf("it is the record of another cluster, %s", v.Cluster))
	case v.Stamp == n.view.Stamp:
		n.confirm(sent, v)
	case n.follows(v):
		n.adopt(sent, v)
	default:
		n.diverged(v)
	}
}

// enter looks for this node in the store's view.
func (n *Node) enter(sent time.Duration, v *View) {
	switch {
	case v.Has(n.config.Self.ID):
		n.adopt(sent, v)
	case slices.Contains(v.Previous, n.config.Self.ID):
		n.evict(v) // it was a member, and never knew: a vote that the view waits for
	case len(v.Members) == 0 && !n.busy(): // all have left
		n.write(v.next([]Member{n.config.Self}, n.nonce(), n.millis()))
	}
}

// adopt installs a view that the store shows. Whoever wrote it tells the others,
// those who are gone as well.
func (n *Node) adopt(sent time.Duration, v *View) {
	before := n.view
	n.install(v)
	if v.Seal == n.record.mine && before != nil {
		told := map[string]bool{n.config.Self.ID: true}
		for _, members := range [][]Member{v.Members, before.Members} {
			for i := range members {
				if m := &members[i]; !told[m.ID] {
					told[m.ID] = true
					if p := n.peers[m.ID]; p != nil {
						p.pushed = n.now
					}
					n.do(Send{m, Push{v}})
				}
			}
		}
	}
	if !n.evicted {
		n.confirm(sent, v)
	}
}

// confirm takes a record of the installed view as what it is: evidence, and the
// store's own grant.
func (n *Node) confirm(sent time.Duration, v *View) {
	n.view = v // what the store excludes, or an override, is news
	n.excludes(v.Excluded)
	if v.Override != "" && n.p.keeps(overrideHides) {
		return // under an override nobody is confirmed
	}
	if n.record.torn && !n.mends(sent, v.Stamp) {
		return // others may go by what the store has lost
	}
	n.record.torn, n.lease.doubt = false, maxTime
	n.lease.Evidence(sent)
	if n.settled(sent) && !slices.Contains(v.Excluded, n.config.Self.ID) {
		n.lease.Grant(StoreGrantor, sent)
	}
}

// excludes takes note of whom the store excludes.
func (n *Node) excludes(ids []string) {
	maps.DeleteFunc(n.excluded, func(id string, _ time.Duration) bool { return !slices.Contains(ids, id) })
	for _, id := range ids {
		if _, known := n.excluded[id]; !known {
			n.excluded[id] = n.now
		}
	}
	for _, r := range n.removals {
		since, excluded := n.excluded[r.target]
		r.stored(n.p, since, excluded)
	}
}

// write replaces the record.
func (n *Node) write(v *View) {
	if n.busy() {
		return
	}
	if v.Seal == v.Nonce {
		n.record.mine = v.Seal
	}
	n.record.pending, n.record.dated = v, false
	n.do(WriteStore{v, n.record.version})
}

// mayWrite reports whether the store is free and shows the installed view, with
// no override. It is asked before a write: if need be the store is read.
func (n *Node) mayWrite() bool {
	r := &n.record
	if r.stale || r.view == nil || r.view.Nonce != n.view.Nonce {
		r.wanted = true
		return false
	}
	return !n.busy() && n.view.Override == ""
}

// nonce names a write.
func (n *Node) nonce() string {
	n.record.nonces++
	return fmt.Sprintf("%s-%d", n.config.Self.ID, n.record.nonces)
}

package sealedview

import "time"

// Evidence is the newest instant at which the store is known to have shown the
// installed view; false if it is not known to have done so at all. Params.Fresh
// later the node stops serving. It decides nothing; pages for operators show it.
func (n *Node) Evidence() (at time.Duration, known bool) {
	if n.view == nil || n.lease.evidence == never {
		return 0, false
	}
	return n.lease.evidence, true
}

package sealedview

import "slices"

// leaving is how far a node is with its own leave.
type leaving uint8

const (
	staying leaving = iota
	wantsToLeave
	drained
)

// drained takes in that the host holds nothing any more. It may only say so of a
// view that shows it leaving: before, it could activate again.
func (n *Node) drained() {
	if n.view == nil || n.leave != wantsToLeave {
		return
	}
	if self, _ := n.view.Member(n.config.Self.ID); self.State != Leaving {
		n.do(Violated{"drained while still active in the view"})
		return
	}
	n.leave = drained
}

// depart takes this node out of placement, and out of the view once it holds
// nothing. That takes no wait: nobody can hold its place then.
func (n *Node) depart() {
	if n.leave == staying || n.removes() || !n.mayWrite() || !n.leased() {
		return
	}
	self := n.view.index(n.config.Self.ID)
	if n.view.Members[self].State == Active {
		members := slices.Clone(n.view.Members)
		members[self].State = Leaving
		n.change(members)
		return
	}
	if n.leave == drained {
		n.change(n.view.without(n.config.Self.ID))
	}
}

package sealedview

import "time"

// outgoing is a barrier that a peer has not confirmed yet. The zero value is
// none.
type outgoing struct {
	due, all bool
	sent     time.Duration
	pause    time.Duration // until it is sent once more; 0: not sent yet
}

// release notes a barrier to be sent: the host has let go.
//
// A barrier to all goes to the council, which hands on whose it has: one from
// everybody to everybody would take a connection for each pair, at each change of
// views. Where the store grants the leases a cluster has to do without a council.
func (n *Node) release(e Released) {
	if n.view == nil || e.View != n.view.Stamp {
		return // of a view that is not installed any more
	}
	all := e.To == ""
	if all {
		n.gather(n.config.Self.ID, e.View)
	}
	for _, p := range n.others {
		if e.To == p.ID || all && (p.inCouncil || n.view.Mode == Store) {
			p.barrier = outgoing{due: true, all: all}
		}
	}
}

// relay has the council hand on to the others, before long, whose barriers it has
// by then.
func (n *Node) relay() {
	for _, p := range n.others {
		if n.inCouncil && !p.inCouncil && n.view.Mode != Store {
			p.relay = outgoing{due: true, all: true, sent: n.now, pause: n.soon()}
		}
	}
}

// gather takes note of a barrier to all. Once that makes it all of them, the oldest
// of the council tells the others at once: true. The next does unless they confirm.
func (n *Node) gather(from string, view Stamp) bool {
	before := n.gate.complete()
	n.gate.Barrier(from, view, true)
	if before || !n.inCouncil || !n.gate.complete() {
		return false
	}
	turn := n.turn()
	for _, p := range n.others {
		p.relay.sent, p.relay.pause = n.now, turn
	}
	return true
}

// soon is when a barrier is sent once more that is not confirmed. Many at a time
// may take a while.
func (n *Node) soon() time.Duration {
	if len(n.others) > 4*councilSize {
		return n.p.Renew
	}
	return n.p.Renew / 4
}

// repeatBarriers sends barriers until they are heard: the first time soon again,
// then less and less often, down to once in a renewal.
func (n *Node) repeatBarriers() {
	of := ""
	for _, p := range n.others {
		if n.again(&p.barrier) {
			n.do(Send{p.Member, Barrier{View: n.view.Stamp, All: p.barrier.all}})
		}
		if n.again(&p.relay) {
			if of == "" {
				of = n.gate.gathered()
			}
			n.do(Send{p.Member, Barrier{View: n.view.Stamp, All: true, Of: of}})
		}
	}
}

// again reports whether a barrier is to be sent now.
func (n *Node) again(o *outgoing) bool {
	if !o.due || n.now-o.sent < o.pause {
		return false
	}
	o.sent = n.now
	o.pause = min(max(2*o.pause, n.soon()), n.p.Renew)
	return true
}

func (n *Node) hasBarriers() bool {
	for _, p := range n.others {
		if p.barrier.due || p.relay.due {
			return true
		}
	}
	return false
}

// released takes in a barrier, or those that the council hands on, and confirms
// it; the latter once they are all there are.
func (n *Node) released(p *peer, b Barrier) bool {
	switch {
	case b.Of != "":
		if b.View == n.view.Stamp && p.inCouncil {
			n.handedOn(p, b)
		}
	case b.View.Epoch >= n.view.Epoch:
		n.do(Send{p.Member, Heard{b.View, b.All}})
		if b.All {
			return n.gather(p.ID, b.View)
		}
		n.gate.Barrier(p.ID, b.View, false)
	}
	return false
}

// handedOn takes in barriers that one of the council hands on. None of the council
// need do so again once they are all there are.
func (n *Node) handedOn(p *peer, b Barrier) {
	before := n.gate.complete()
	if !n.gate.relayed(b.Of) {
		return
	}
	for _, c := range n.council {
		if c == p || !before {
			n.do(Send{c.Member, Heard{b.View, true}})
		}
	}
}

// heard ends a barrier that was confirmed.
func (o *outgoing) heard(view Stamp, h Heard) {
	if o.due && h.View == view && (h.All || !o.all) {
		*o = outgoing{}
	}
}

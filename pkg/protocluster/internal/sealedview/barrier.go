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
func (n *Node) release(e Released) {
	if n.view == nil || e.View != n.view.Stamp {
		return // of a view that is not installed any more
	}
	for _, p := range n.others {
		if e.To == "" || e.To == p.ID {
			p.barrier = outgoing{due: true, all: e.To == ""}
		}
	}
}

// repeatBarriers sends barriers until they are heard: the first time soon again,
// then less and less often, down to once in a renewal. In a large cluster each
// change of views is a barrier from everybody to everybody.
func (n *Node) repeatBarriers() {
	for _, p := range n.others {
		if p.barrier.due && n.now-p.barrier.sent >= p.barrier.pause {
			p.barrier.sent = n.now
			p.barrier.pause = min(max(2*p.barrier.pause, n.p.Renew/4), n.p.Renew)
			n.do(Send{p.Member, Barrier{n.view.Stamp, p.barrier.all}})
		}
	}
}

func (n *Node) hasBarriers() bool {
	for _, p := range n.others {
		if p.barrier.due {
			return true
		}
	}
	return false
}

// heard ends a barrier that was confirmed.
func (o *outgoing) heard(view Stamp, h Heard) {
	if o.due && h.View == view && (h.All || !o.all) {
		*o = outgoing{}
	}
}

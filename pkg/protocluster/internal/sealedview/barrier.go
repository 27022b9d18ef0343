package sealedview

import "time"

// outgoing is a barrier that a peer has not confirmed yet. The zero value is
// none.
type outgoing struct {
	due, all bool
	sent     time.Duration
}

// release notes a barrier to be sent: the host has let go.
func (n *Node) release(e Released) {
	if n.view == nil || e.View != n.view.Stamp {
		return // of a view that is not installed any more
	}
	for _, p := range n.others {
		if e.To == "" || e.To == p.ID {
			p.barrier = outgoing{due: true, all: e.To == "", sent: never}
		}
	}
}

// repeatBarriers sends barriers until they are heard.
func (n *Node) repeatBarriers() {
	for _, p := range n.others {
		if p.barrier.due && n.now-p.barrier.sent >= n.p.Renew/4 {
			p.barrier.sent = n.now
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

package sim

import (
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

// network carries messages between machines.
type network struct {
	cut    [maxMachines + 1][maxMachines + 1]int   // from, to: how many faults cut that direction; the last is the store
	last   [maxMachines][maxMachines]time.Duration // when the newest message arrives, where order is kept
	unseen [maxMachines]int                        // how many faults keep views from a machine
	muted  [maxMachines][messageTypes + 1]int      // and messages of a type
	loss   float64
	twice  float64
	delay  time.Duration // on top of the base, up to
	mixed  bool          // messages overtake each other
}

// toStore is the store's place in the network.
const toStore = maxMachines

// send has a message arrive, or not. The sender's connection to itself is never
// used.
func (w *world) send(p *process, to *sealedview.Member, m sealedview.Message) {
	q := w.byID[to.ID]
	if q == nil {
		w.fail("%s sends to the unknown member %q", p.self.ID, to.ID)
		return
	}
	if _, push := m.(sealedview.Push); push && w.net.unseen[q.machine] > 0 || w.net.muted[q.machine][messageType(m)] > 0 {
		return
	}
	w.carry(p, q, m)
}

// carry has what one process says to another arrive, once, twice or not.
func (w *world) carry(p, q *process, payload any) {
	n := &w.net
	if q.dead || n.cut[p.machine][q.machine] > 0 || n.loss > 0 && w.rng.Float64() < n.loss {
		return
	}
	w.deliver(p, q, payload)
	if n.twice > 0 && w.rng.Float64() < n.twice {
		w.deliver(p, q, payload)
	}
}

func (w *world) deliver(p, q *process, payload any) {
	n := &w.net
	at := w.now + w.plan.latency + w.within(w.plan.latency)
	if n.delay > 0 {
		at += w.within(n.delay)
	}
	if last := &n.last[p.machine][q.machine]; !n.mixed {
		at = max(at, *last+1)
		*last = at
	}
	w.push(event{at: at, kind: deliver, proc: q.id, from: p.id, payload: payload})
}

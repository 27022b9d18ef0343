package sim

import (
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

// life is how a cluster gets well again after the faults have ended.
type life struct {
	agreed time.Duration // when all were on one view, after the end
	served time.Duration // when all identities were served
	over   bool
	lost   bool // a majority of grantors was, before the others could know
}

// recovery is what may pass until a cluster is well again.
const recovery = 3 * time.Second

// bound is how long a cluster may take to be on one view, and to serve everything
// again. If a majority is gone for good, or the store has gone back, that is what
// an override takes.
func (w *world) bound() time.Duration {
	b := recovery
	if w.life.lost || w.plan.profile == Majority || w.plan.profile == Backup {
		b += 2 * (w.plan.params.Stale() + 10*w.plan.params.Lease)
	}
	return b
}

// heal ends all faults. Machines that are down come back or stay down.
func (w *world) heal() {
	w.note(note{what: noteFault, proc: -1, text: "all faults end"})
	w.net = network{last: w.net.last}
	w.store.stalled, w.store.fails, w.store.late, w.store.refused = 0, 0, 0, 0
	w.ambush = nil
	for m, p := range w.running {
		if p == nil && m < w.plan.machines && (w.rng.IntN(2) == 0 || w.alive() == 0) {
			w.push(event{at: w.now, kind: start, from: int32(m)})
		}
		if p != nil && p.paused > w.now {
			p.paused = w.now
			w.push(event{at: w.now, kind: resume, proc: p.id})
		}
	}
	w.push(event{at: w.now, kind: judge})
}

// lostMajority reports whether a majority of the grantors is gone for good, so
// that it takes an override: of those of the view that stands, or of those before
// it who have to leave their view first. Where the store grants, the council has
// to be heard, or the others wait.
func (w *world) lostMajority() bool {
	v := w.store.view
	if v == nil {
		return true
	}
	sealed, alive := false, false
	for i := range v.Members {
		p := w.byID[v.Members[i].ID]
		u := p.node.View()
		alive = alive || !p.dead
		sealed = sealed || !p.dead && u != nil && u.Stamp == v.Stamp && p.node.Until() > never
	}
	if v.Mode == sealedview.Store && !w.most(v.Council(), nil) {
		return true
	}
	return !alive || !w.most(v.Grantors(), nil) || !sealed && !w.most(v.Previous, nil)
}

// judge looks now and then how far the cluster has got.
func (w *world) judge() {
	since := w.now - w.plan.trouble
	w.life.lost = w.life.lost || w.lostMajority()
	if w.life.agreed < 0 && w.agree() {
		w.life.agreed = since
	}
	missing := w.referee.unserved(w)
	if w.life.served < 0 && len(missing) == 0 {
		w.life.served = since
	}
	switch bound := w.bound(); {
	case since >= bound && w.life.agreed < 0:
		w.fail("%v after the end of all faults the members are not on one view", since)
	case since >= bound && w.life.served < 0:
		w.fail("%v after the end of all faults nobody serves the identities %v", since, missing)
	case since < bound:
		w.push(event{at: w.now + 10*time.Millisecond, kind: judge})
	default:
		w.life.over = true
	}
}

// agree reports whether all members of the record go by it, and nobody else runs.
func (w *world) agree() bool {
	v := w.store.view
	if v == nil {
		return false
	}
	for _, p := range w.running {
		if p != nil && (p.node.View() == nil || p.node.View().Stamp != v.Stamp) {
			return false
		}
	}
	for i := range v.Members {
		if w.byID[v.Members[i].ID].dead {
			return false
		}
	}
	return true
}

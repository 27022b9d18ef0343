package sim

import (
	"slices"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

// pull asks a member for one identity that its barrier is awaited for, ahead of
// the barrier; or answers that it does not hold that identity.
type pull struct {
	view     sealedview.Stamp // installed by who asks
	identity int
	answer   bool
}

// askFor has a process that may not activate an identity yet ask those whose
// barrier is missing.
func (w *world) askFor(p *process, k int) {
	owing, mine := p.node.Owing(p.clock.local(w.now), w.ownerOf(k))
	if !mine {
		return
	}
	for _, id := range owing {
		if p.host.answers[id]&(1<<k) == 0 {
			w.carry(p, w.byID[id], pull{view: p.host.view.Stamp, identity: k})
		}
	}
}

// pulled takes in a pull, or an answer. Neither counts in another view.
func (w *world) pulled(p, from *process, m pull) {
	h, bit := &p.host, identities(1)<<m.identity
	if h.view == nil || h.view.Stamp != m.view {
		return
	}
	if m.answer {
		w.note(note{what: notePulled, proc: p.id, from: from.id, number: uint64(m.identity)})
		h.answers[from.self.ID] |= bit
		h.pulls |= bit
		w.activate(p, p.clock.local(w.now))
		return
	}
	if w.plan.lie != HeldPulls {
		w.released(p, m.identity)
	}
	if !p.dead && h.view.Stamp == m.view && (h.held&bit == 0 || w.plan.lie == HeldPulls) {
		m.answer = true
		w.carry(p, from, m)
	}
}

// mayActivate reports whether all members that an identity was owed by have given
// a barrier, or an answer.
func (w *world) mayActivate(p *process, k int) bool {
	local, h := p.clock.local(w.now), &p.host
	if h.pulls&(1<<k) == 0 {
		return p.node.MayActivate(local, w.ownerOf(k))
	}
	owing, mine := p.node.Owing(local, w.ownerOf(k))
	return mine && !slices.ContainsFunc(owing, func(id string) bool { return h.answers[id]&(1<<k) == 0 })
}

func (w *world) ownerOf(k int) func(*sealedview.View) string {
	return func(v *sealedview.View) string { return w.owners(v)[k] }
}

package sim

import (
	"math/bits"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

// identities is a set of identities, which are small numbers.
type identities uint32

const maxIdentities = 32

// host holds the activations of a process.
type host struct {
	held    identities // activated, and not dropped or released yet
	own     identities // what the installed view assigns to it
	view    *sealedview.View
	owners  []string
	counter uint64                // of tokens
	epochs  [maxIdentities]uint64 // of tokens: that of the last view which assigned the identity to this member
	answers map[string]identities // by member: what it has answered for in this view, when it was pulled
	pulls   identities            // that somebody has answered for
	told    map[string]bool       // the barriers of this view that were given; "" is the one to all
	leaving bool                  // the view shows it leaving
	drained bool                  // it has said so
}

func (h *host) drop() { h.held, h.own = 0, 0 }

// owners says who owns each identity in a view: rendezvous hashing among those
// who do not leave.
func (w *world) owners(v *sealedview.View) []string {
	if owners, ok := w.placement[v.Stamp]; ok {
		return owners
	}
	owners := make([]string, w.plan.identities)
	for k := range owners {
		best := uint64(0)
		for i := range v.Members {
			m := &v.Members[i]
			if m.State != sealedview.Active {
				continue
			}
			if s := score(m.ID, uint64(k)); owners[k] == "" || s > best {
				owners[k], best = m.ID, s
			}
		}
	}
	w.placement[v.Stamp] = owners
	return owners
}

func score(id string, key uint64) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * 1099511628211
	}
	return mix(mix(h) ^ key*0x9e3779b97f4a7c15)
}

// mix is the finaliser of SplitMix64.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// place has a host let go of what a view that was just installed assigns to
// others: it takes a while for each of them.
func (w *world) place(p *process, v *sealedview.View) {
	h := &p.host
	h.view, h.owners, h.own = v, w.owners(v), 0
	for k, owner := range h.owners {
		if owner == p.self.ID {
			h.own |= 1 << k
			h.epochs[k] = v.Epoch
		}
	}
	self, _ := v.Member(p.self.ID)
	h.leaving = self.State == sealedview.Leaving
	h.pulls = 0
	clear(h.answers)
	clear(h.told)
	for k := range w.plan.identities {
		if h.held&^h.own&(1<<k) != 0 {
			w.push(event{at: w.now + w.within(w.plan.drain), kind: letGo, proc: p.id, from: int32(k), payload: v})
		}
	}
	w.barriers(p)
}

// released has a host let go of an identity, unless it has got it back meanwhile.
func (w *world) released(p *process, k int) {
	h := &p.host
	if bit := identities(1) << k; h.held&bit != 0 && h.own&bit == 0 {
		h.held &^= bit
		w.note(note{what: noteRelease, proc: p.id, number: uint64(k)})
	}
	w.barriers(p)
}

// barriers tells the node whom the host owes nothing any more.
func (w *world) barriers(p *process) {
	h := &p.host
	owed := h.held &^ h.own
	if w.plan.lie == HeldBarriers {
		owed = 0
	}
	view := h.view
	for i := range view.Members {
		id := view.Members[i].ID
		if owed == 0 || h.view != view || p.dead {
			break
		}
		if !h.told[id] && id != p.self.ID && !h.owes(owed, id) {
			h.told[id] = true
			w.step(p, sealedview.Released{View: view.Stamp, To: id})
		}
	}
	if owed == 0 && !h.told[""] && h.view == view && !p.dead {
		h.told[""] = true
		w.step(p, sealedview.Released{View: view.Stamp})
	}
	if h.leaving && !h.drained && h.held == 0 && !p.dead {
		h.drained = true
		w.note(note{what: noteDrained, proc: p.id})
		w.step(p, sealedview.Drained{})
	}
}

// owes reports whether one of the identities owed belongs to a member.
func (h *host) owes(owed identities, member string) bool {
	for ; owed != 0; owed &= owed - 1 {
		if h.owners[bits.TrailingZeros32(uint32(owed))] == member {
			return true
		}
	}
	return false
}

// activate activates whatever a node may: there are always requests waiting.
func (w *world) activate(p *process, local time.Duration) {
	h := &p.host
	wanted := h.own &^ h.held
	if wanted == 0 || p.dead || !p.node.Serves(local) {
		return
	}
	for ; wanted != 0; wanted &= wanted - 1 {
		k := bits.TrailingZeros32(uint32(wanted))
		if w.mayActivate(p, k) {
			h.held |= 1 << k
			w.note(note{what: noteActivate, proc: p.id, number: uint64(k)})
			w.referee.activated(w, p, k)
			w.dispatch(p, k)
		}
	}
}

// dispatch has a process handle a request for an identity that it holds.
func (w *world) dispatch(p *process, k int) {
	p.host.counter++
	w.referee.dispatched(w, p, k, token{p.host.epochs[k], p.host.counter})
}

// requested sends a request for an identity to whoever believes to own it. Some
// do not wait for barriers.
func (w *world) requested(k int) {
	for _, p := range w.running {
		if p == nil || p.paused > w.now {
			continue
		}
		switch h := &p.host; {
		case h.held&(1<<k) != 0 && p.serves(w.now):
			w.dispatch(p, k)
		case h.own&^h.held&(1<<k) != 0 && w.plan.pulls:
			w.askFor(p, k)
		}
	}
}

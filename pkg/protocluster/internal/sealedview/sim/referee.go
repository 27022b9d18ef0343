package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

// referee sees everything, by real time, and stops the run when a promise is
// broken.
type referee struct {
	tokens   []token // by identity: of the last dispatch
	served   []time.Duration
	epochs   map[int32]uint64                   // installed, by process
	made     map[sealedview.Stamp]time.Duration // when the store got a view
	views    map[sealedview.Stamp]*sealedview.View
	excluded map[string]time.Duration // by the store, in the record at present
	promises map[pair]promise
	override time.Duration // since when an intent stands, or never
	fault    string
}

// token fences what a stale activation writes.
type token struct{ epoch, counter uint64 }

// pair are a grantor and a member, processes by number.
type pair struct{ grantor, member int32 }

// promise is the newest that a grantor has made a member.
type promise struct {
	until time.Duration // on the grantor's clock
	made  time.Duration
}

const never = time.Duration(-1 << 61)

func newReferee(identities int) referee {
	r := referee{
		tokens: make([]token, identities), served: make([]time.Duration, identities),
		epochs: make(map[int32]uint64), made: make(map[sealedview.Stamp]time.Duration),
		views: make(map[sealedview.Stamp]*sealedview.View), excluded: make(map[string]time.Duration),
		promises: make(map[pair]promise), override: never,
	}
	for k := range r.served {
		r.served[k] = never
	}
	return r
}

func (w *world) fail(format string, args ...any) {
	if w.referee.fault == "" {
		w.referee.fault = fmt.Sprintf(format, args...)
	}
}

// installed checks that the epochs of a member only grow, and that it keeps what
// it has promised.
func (r *referee) installed(w *world, p *process, v *sealedview.View) {
	if v.Epoch <= r.epochs[p.id] {
		w.fail("%s installs epoch %d after %d", p.self.ID, v.Epoch, r.epochs[p.id])
	}
	r.epochs[p.id] = v.Epoch
	for _, q := range w.running {
		if q != nil {
			r.promised(w, p, q)
		}
	}
	if _, ok := r.made[v.Stamp]; !ok {
		w.fail("%s installs a view that never was in the store: %s", p.self.ID, viewText(v))
	}
}

// stepped looks whether a node that has just got its lease back, with what it
// still holds, is one too many.
func (r *referee) stepped(w *world, p *process, local time.Duration) {
	until := p.node.Until()
	had, has := local < p.until, local < until
	if had != has {
		w.note(note{what: noteLease, proc: p.id, flag: has})
	}
	p.until = until
	if had || !has || p.host.held == 0 {
		return
	}
	for k := range r.tokens {
		if p.host.held&(1<<k) != 0 {
			r.activated(w, p, k)
		}
	}
}

// activated checks P1: whoever holds an identity and has a lease, paused or not,
// can dispatch a message to it.
func (r *referee) activated(w *world, p *process, k int) {
	for _, q := range w.running {
		if q != nil && q != p && q.host.held&(1<<k) != 0 && q.serves(w.now) {
			w.fail("identity %d has two activations: at %s in %s and at %s in %s", k,
				p.self.ID, stampText(p.host.view.Stamp), q.self.ID, stampText(q.host.view.Stamp))
		}
	}
}

// dispatched checks P3: tokens strictly increase per identity.
func (r *referee) dispatched(w *world, p *process, k int, t token) {
	last := r.tokens[k]
	if w.store.back && (w.plan.wrongWallClocks || w.plan.stoppedWallClock) {
		last = token{} // the epochs that were lost are known to nobody but the clocks
	}
	if t.epoch < last.epoch || t.epoch == last.epoch && t.counter <= last.counter {
		w.fail("identity %d at %s gets token %d.%d after %d.%d", k, p.self.ID, t.epoch, t.counter, last.epoch, last.counter)
	}
	r.tokens[k], r.served[k] = t, w.now
}

// promised takes note of what a grantor has promised a member, which never
// shrinks.
func (r *referee) promised(w *world, p, member *process) {
	key := pair{p.id, member.id}
	until, _ := p.node.Promise(member.self.ID)
	last := r.promises[key]
	switch {
	case until < last.until && last.until > p.clock.local(w.now):
		w.fail("%s has forgotten a promise to %s, which would last for %v", p.self.ID, member.self.ID, last.until-p.clock.local(w.now))
	case until != last.until:
		r.promises[key] = promise{until, w.now}
	}
}

// writes checks a write that the store is about to apply.
func (r *referee) writes(w *world, o *operation) {
	now, v := w.store.view, o.write
	if now != nil && v.Stamp == now.Stamp {
		r.amends(w, v)
		return
	}
	if now != nil && v.Epoch <= now.Epoch && !w.store.back {
		w.fail("%s writes epoch %d after %d", o.proc.self.ID, v.Epoch, now.Epoch)
	}
	if now != nil && !w.store.back {
		r.changes(w, now, v)
	}
	r.made[v.Stamp], r.views[v.Stamp] = w.now, v
	clear(r.excluded)
	r.override = never
}

// amends takes note of what a record of the same view says anew.
func (r *referee) amends(w *world, v *sealedview.View) {
	for _, id := range v.Excluded {
		if _, ok := r.excluded[id]; !ok {
			r.excluded[id] = w.now
		}
	}
	switch {
	case v.Override == "":
		r.override = never
	case r.override == never || v.Override != w.store.view.Override:
		r.override = w.now
	}
}

// changes checks rules R1 to R4 for each member that a new view takes out, by
// what its grantors have really promised.
func (r *referee) changes(w *world, now, v *sealedview.View) {
	if v.Before != now.Stamp {
		w.fail("R4: %s replaces %s", viewText(v), viewText(now))
	}
	for i := range now.Members {
		m := &now.Members[i]
		p := w.byID[m.ID]
		switch {
		case v.Has(m.ID):
		case v.Forced:
			if r.override == never || w.now-r.override < w.plan.params.Store {
				w.fail("an override takes out %s after %v", m.ID, w.now-r.override)
			}
		case m.State == sealedview.Leaving && p.host.drained:
			if p.host.held != 0 {
				w.fail("%s has left with identities %b", m.ID, p.host.held)
			}
		default:
			r.removes(w, now, p)
		}
		if !v.Has(m.ID) && p.serves(w.now) {
			w.fail("%s takes out %s, which has a lease", viewText(v), m.ID)
		}
	}
}

func (r *referee) removes(w *world, v *sealedview.View, target *process) {
	voted := 0
	for _, id := range v.Grantors() {
		if id == sealedview.StoreGrantor {
			if since, ok := r.excluded[target.self.ID]; ok && w.now-since >= w.plan.params.Lease {
				voted++
			}
			continue
		}
		g := w.byID[id]
		// A clock that has stood still shows less than has passed.
		until, excluded := g.node.Promise(target.self.ID)
		over := until <= g.clock.local(w.now) || w.now-r.promises[pair{g.id, target.id}].made >= w.plan.params.Lease
		if g != target && excluded && g.node.View().Stamp == v.Stamp && over {
			voted++
		}
	}
	if voted < sealedview.Quorum(len(v.Grantors())) {
		w.fail("R1: %s is taken out of %s by %d grantors", target.self.ID, viewText(v), voted)
	}
	since := w.now - r.made[v.Stamp]
	if v.Before.Epoch != 0 && since < w.plan.params.Lease {
		w.fail("R3: %s is taken out of %s after %v", target.self.ID, viewText(v), since)
	}
	moved := 0
	for _, id := range v.Previous {
		if id == sealedview.StoreGrantor || r.epochs[w.byID[id].id] >= v.Epoch || w.byID[id].node.Evicted() {
			moved++
		}
	}
	if len(v.Previous) > 0 && moved < sealedview.Quorum(len(v.Previous)) && since < w.plan.params.Store {
		w.fail("R2: %s is taken out of %s, but only %d of %v have left the view before", target.self.ID, viewText(v), moved, v.Previous)
	}
}

// serving are the identities that somebody can dispatch to at present.
func (r *referee) serving(w *world) identities {
	var all identities
	for _, p := range w.running {
		if p != nil && p.serves(w.now) {
			all |= p.host.held
		}
	}
	return all
}

// unserved names the identities that nobody serves.
func (r *referee) unserved(w *world) []int {
	serving := r.serving(w)
	var missing []int
	for k := range r.tokens {
		if serving&(1<<k) == 0 {
			missing = append(missing, k)
		}
	}
	return slices.Clip(missing)
}

package sim

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

// An ambush waits for the next change of the view, which author has written and
// does not know of yet.
type ambush func(author *process, v *sealedview.View)

// rewind is an ambush after which the store goes back to the view before, and
// the machines are split, before all have seen the change.
func rewind(w *world) (string, func()) {
	if w.rng.IntN(2) == 0 {
		wave(w)
	}
	w.ambush = func(*process, *sealedview.View) {
		w.later(w.within(4*(w.plan.latency+w.plan.storeLatency)), func() {
			if !w.mayRewind() {
				return
			}
			side := w.rng.Uint32()
			w.later(w.within(6*w.plan.params.Lease), w.part(func(m int) bool { return side>>m&1 == 1 }))
			w.rewind(fmt.Sprintf("the machines are split: %09b", side&(1<<maxMachines-1)))
		})
	}
	return "an ambush is laid: the store will go back", nil
}

func (w *world) mayRewind() bool {
	h := w.store.history
	return len(h) >= 2 && w.now < w.plan.trouble && w.mayGoBack(h[len(h)-2])
}

// rewind takes the store back to the view before, behind the back of those who
// watch it.
func (w *world) rewind(and string) {
	s := &w.store
	w.unwatched = true
	w.goBack(s.history[len(s.history)-2])
	w.unwatched = false
	w.note(note{what: noteFault, proc: -1, text: fmt.Sprintf("the store goes back to %s, %s", viewText(s.view), and)})
}

// silence is an ambush on the author of the change: it is cut from everybody
// before it hears that it has made one, while others come and go on from there.
func silence(w *world) (string, func()) {
	wave(w)
	w.ambush = func(author *process, _ *sealedview.View) {
		m := author.machine
		lease := w.plan.params.Lease
		end := w.part(func(i int) bool { return i == m })
		w.later(w.within(12*lease), endAll([]func(){end, w.cut(m, toStore)}))
		w.later(w.within(2*lease), func() { wave(w) })
		w.note(note{what: noteFault, proc: -1, text: fmt.Sprintf("machine %c is cut from everybody", 'a'+m)})
	}
	return "an ambush is laid: the next to change the view will be cut off", nil
}

// fork is an ambush that has two views made of the same one, each with another
// joiner. A member does not see that the first has joined; while it still has its
// lease, the store goes back, and the member admits the second. Then everybody
// sees that, but the first.
func fork(w *world) (string, func()) {
	p, first := w.anyone(), w.idle()
	if p == nil || first < 0 || !p.serves(w.now) || !slices.Contains(p.node.View().Council(), p.self.ID) {
		return "", nil
	}
	w.push(event{at: w.now, kind: start, from: int32(first)})
	end := sync.OnceFunc(endAll([]func(){w.cut(p.machine, first), w.cut(first, p.machine)}))
	w.later(2*w.plan.params.Lease, end)
	w.ambush = func(author *process, v *sealedview.View) {
		second := w.idle()
		if p == author || !p.serves(w.now) || !v.Has(p.self.ID) || second < 0 {
			return
		}
		there := w.cut(p.machine, toStore)
		end := sync.OnceFunc(w.part(func(m int) bool { return m == p.machine || m == second }))
		w.later(2*w.plan.params.Lease, end)
		w.later(4*(w.plan.latency+w.plan.storeLatency)+w.within(w.plan.params.Lease/4), func() {
			there()
			w.forked(p, v, second, end)
		})
		w.note(note{what: noteFault, proc: -1, text: fmt.Sprintf("%s is kept from seeing the change", p.self.ID)})
	}
	return "an ambush is laid: the view will fork", end
}

// forked is the second part of fork, when v has been installed by all but p: the
// others read what the store has become a little later.
func (w *world) forked(p *process, v *sealedview.View, second int, end func()) {
	if !w.mayRewind() {
		return
	}
	w.rewind(fmt.Sprintf("only %s has not seen that there was another", p.self.ID))
	var ends []func()
	for _, q := range w.running {
		if q != nil && q != p && v.Has(q.self.ID) {
			ends = append(ends, w.cut(q.machine, toStore))
		}
	}
	again := sync.OnceFunc(endAll(ends))
	w.later(w.plan.params.Settle/2, again)
	w.push(event{at: w.now, kind: start, from: int32(second)})
	w.ambush = func(_ *process, u *sealedview.View) {
		end()
		again()
		w.banish(v, u)
	}
}

// idle is a machine on which nothing runs, or -1.
func (w *world) idle() int { return slices.Index(w.running[:], nil) }

// banish cuts those who are members of v only, and not of u, from everybody.
func (w *world) banish(v, u *sealedview.View) {
	var ends []func()
	for i := range v.Members {
		if id := v.Members[i].ID; !u.Has(id) {
			m := w.byID[id].machine
			ends = append(ends, w.part(func(i int) bool { return i == m }), w.cut(m, toStore))
			w.note(note{what: noteFault, proc: -1, text: fmt.Sprintf("machine %c is cut from everybody", 'a'+m)})
		}
	}
	w.later(w.within(4*w.plan.params.Lease)+time.Millisecond, endAll(ends))
}

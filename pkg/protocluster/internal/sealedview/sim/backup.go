package sim

import (
	"fmt"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

// rollBack restores the store from a backup, not a very old one most of the
// time.
func rollBack(w *world) (string, func()) {
	s := &w.store
	if len(s.history) < 2 {
		return "", nil
	}
	back := 1 + min(int(w.rng.ExpFloat64()*2), len(s.history)-2)
	r := s.history[len(s.history)-1-back]
	if !w.mayGoBack(r) {
		return "", nil
	}
	w.goBack(r)
	return fmt.Sprintf("the store goes back to %s", viewText(s.view)), nil
}

func deleteRecord(w *world) (string, func()) {
	if !w.mayGoBack(record{}) {
		return "", nil
	}
	w.goBack(record{})
	return "the record is deleted", nil
}

// usurp deletes the record when somebody comes who begins another cluster before
// anybody has noticed.
func usurp(w *world) (string, func()) {
	m := w.idle()
	if m < 0 || !w.mayGoBack(record{}) {
		return "", nil
	}
	w.unwatched = true
	w.goBack(record{})
	w.unwatched = false
	w.push(event{at: w.now, kind: start, from: int32(m)})
	return fmt.Sprintf("the record is deleted, and machine %c starts", 'a'+m), nil
}

func garble(w *world) (string, func()) {
	if !w.mayGoBack(record{}) {
		return "", nil
	}
	w.store.writes++
	w.goBack(record{garbled: true, version: w.store.writes})
	w.push(event{at: w.now + w.within(10*time.Second), kind: repair, payload: w.deleteGarbage})
	return "the record is garbage", nil
}

// deleteGarbage is what somebody has to do if nobody can repair the record.
func (w *world) deleteGarbage() {
	switch {
	case !w.store.garbled:
	case !w.reached():
		w.push(event{at: w.now + 100*time.Millisecond, kind: repair, payload: w.deleteGarbage})
	default:
		w.note(note{what: noteFault, proc: -1, text: "the garbage is deleted"})
		w.goBack(record{})
	}
}

// mayGoBack reports whether the protocol promises to bear that the store goes back
// to r at this moment. Where the store votes, or a member is alone, nobody else
// remembers what was changed within the time of a lease.
func (w *world) mayGoBack(r record) bool {
	alone := func(v *sealedview.View) bool {
		return v == nil || len(v.Members) < 3 || v.Mode == sealedview.Store
	}
	return w.reached() && (w.now-w.store.changed > 3*w.plan.params.Lease || !alone(w.store.view) && !alone(r.view))
}

// reached reports whether everybody reaches the store.
func (w *world) reached() bool {
	for _, p := range w.running {
		if p != nil && w.net.cut[p.machine][toStore] > 0 {
			return false
		}
	}
	return true
}

// goBack breaks the store's promise.
func (w *world) goBack(r record) {
	s := &w.store
	s.back = true
	s.record, s.changed = r, w.now
	w.changed()
}

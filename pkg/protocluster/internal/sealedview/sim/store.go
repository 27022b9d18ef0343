package sim

import (
	"errors"
	"slices"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

var errStore = errors.New("the store does not answer")

// store is the linearizable store, as long as no fault makes it go back.
type store struct {
	record
	history []record // each that there was, in their order
	writes  uint64
	joiners []sealedview.Member

	changed time.Duration // when it was written last, or lost something
	back    bool          // it has lost writes: not linearizable any more
	stalled time.Duration // until then it answers nothing
	refused uint32        // the machines that may not write
	fails   float64       // writes that end in an error, half of them although they happened
	late    float64       // writes that end in an error and happen later, if they still can
}

// record is what the store holds.
type record struct {
	view    *sealedview.View
	garbled bool
	version uint64
}

// operation is one request to the store.
type operation struct {
	proc    *process
	sent    time.Duration // on the clock of proc
	write   *sealedview.View
	version uint64
	event   sealedview.Event // the answer
	lost    bool             // the answer is an error already
}

// patience is how long a process waits for the store.
const patience = time.Second

func (w *world) ask(p *process, o *operation) {
	if w.net.cut[p.machine][toStore] > 0 {
		o.answerError()
		w.push(event{at: w.now + w.within(patience), kind: respond, proc: p.id, payload: o})
		return
	}
	w.push(event{at: w.now + w.plan.storeLatency + w.within(w.plan.storeLatency), kind: arrive, proc: p.id, payload: o})
}

func (o *operation) answerError() {
	o.lost = true
	o.event = sealedview.Read{Sent: o.sent, Err: errStore}
	if o.write != nil {
		o.event = sealedview.Wrote{Sent: o.sent, Nonce: o.write.Nonce, Err: errStore}
	}
}

// arrived has the store take an operation.
func (w *world) arrived(o *operation) {
	s := &w.store
	if left := s.stalled - w.now; left > 0 {
		if left > patience && !o.lost {
			o.answerError()
			w.push(event{at: w.now + patience, kind: respond, proc: o.proc.id, payload: o})
			if o.write == nil {
				return
			}
			o = &operation{proc: o.proc, sent: o.sent, write: o.write, version: o.version, lost: true}
		}
		w.push(event{at: s.stalled + w.within(50*time.Millisecond), kind: arrive, proc: o.proc.id, payload: o})
		return
	}
	if o.write == nil {
		o.event = w.readFor(o)
	} else if !w.fallible(o) {
		w.writeFor(o)
	}
	if o.lost && o.event == nil {
		return // nobody waits any more
	}
	if w.net.cut[o.proc.machine][toStore] > 0 {
		o.answerError()
	}
	w.push(event{at: w.now + w.plan.storeLatency + w.within(w.plan.storeLatency), kind: respond, proc: o.proc.id, payload: o})
}

func (w *world) readFor(o *operation) sealedview.Event {
	s := &w.store
	e := sealedview.Read{Sent: o.sent, View: s.view, Version: s.version, Joiners: slices.Clone(s.joiners)}
	if s.garbled {
		e.View, e.Garbled = nil, errors.New("garbage")
	}
	return e
}

// fallible decides whether a write meets with a fault, and carries that out.
func (w *world) fallible(o *operation) bool {
	s := &w.store
	if s.refused>>o.proc.machine&1 == 1 {
		o.answerError()
		return true
	}
	if o.lost || s.fails == 0 && s.late == 0 {
		return false
	}
	chance := w.rng.Float64()
	switch {
	case chance < s.fails/2: // before it happened
	case chance < s.fails: // after
		w.writeFor(o)
	case chance < s.fails+s.late: // it is on its way
		later := &operation{proc: o.proc, sent: o.sent, write: o.write, version: o.version, lost: true}
		w.push(event{at: w.now + w.within(3*time.Second), kind: apply, proc: o.proc.id, payload: later})
	default:
		return false
	}
	o.answerError()
	return true
}

// writeFor compares and swaps.
func (w *world) writeFor(o *operation) {
	s := &w.store
	applied := o.version == s.version
	if applied {
		w.referee.writes(w, o)
		s.writes++
		s.put(record{view: o.write, version: s.writes})
		s.changed = w.now
		s.joiners = slices.DeleteFunc(s.joiners, func(m sealedview.Member) bool { return o.write.Has(m.ID) })
		w.changed()
	}
	w.note(note{what: noteApply, proc: o.proc.id, view: o.write, flag: applied})
	o.event = sealedview.Wrote{Sent: o.sent, Nonce: o.write.Nonce, Applied: applied, Version: s.version}
	if o.lost {
		o.event = nil
	}
	if spring := w.ambush; applied && spring != nil && o.write.Seal == o.write.Nonce {
		w.ambush = nil
		spring(o.proc, o.write)
	}
}

func (s *store) put(r record) {
	s.record = r
	s.history = append(s.history, r)
}

// changed tells those who watch the store, most of the time.
func (w *world) changed() {
	for _, p := range w.running {
		if p != nil && w.net.cut[p.machine][toStore] == 0 && w.rng.IntN(10) > 0 && !w.unwatched {
			w.push(event{at: w.now + w.plan.storeLatency + w.within(30*time.Millisecond), kind: watch, proc: p.id})
		}
	}
}

func (w *world) watched(p *process) {
	if w.net.cut[p.machine][toStore] == 0 && w.store.stalled <= w.now {
		w.step(p, sealedview.Seen{View: w.store.view, Joiners: slices.Clone(w.store.joiners)})
	}
}

// announced has a process that is no member say that it wants to be one, until
// it is.
func (w *world) announced(p *process) {
	s := &w.store
	if p.node.View() != nil {
		return
	}
	w.push(event{at: w.now + time.Second, kind: announce, proc: p.id})
	if w.net.cut[p.machine][toStore] > 0 || s.stalled > w.now || s.view != nil && s.view.Has(p.self.ID) {
		return
	}
	if !slices.ContainsFunc(s.joiners, func(m sealedview.Member) bool { return m.ID == p.self.ID }) {
		s.joiners = append(s.joiners, p.self)
		w.changed()
	}
}

// forget ends the announcement of a process, as its session would: a while
// after the process.
func (s *store) forget(w *world, p *process) {
	if w.rng.IntN(2) == 0 {
		return // it lingers
	}
	s.joiners = slices.DeleteFunc(s.joiners, func(m sealedview.Member) bool { return m.ID == p.self.ID })
}

package sim

import (
	"fmt"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

// The faults of this file are what random faults hardly ever add up to, and the
// protocol was made for.

// stale keeps a machine from learning of newer views, while it takes part in all
// else.
func stale(w *world) (string, func()) {
	m := w.rng.IntN(maxMachines)
	store := w.cut(m, toStore)
	w.net.unseen[m]++
	return fmt.Sprintf("machine %c is cut from the store, and gets no views", 'a'+m), func() {
		store()
		w.net.unseen[m]--
	}
}

// mute loses all messages of one type that a machine gets, or sends.
func mute(w *world) (string, func()) {
	m, t := w.rng.IntN(maxMachines), w.rng.IntN(messageTypes)
	w.net.muted[m][t]++
	return fmt.Sprintf("machine %c gets no messages like %T", 'a'+m, exemplars[t]), func() { w.net.muted[m][t]-- }
}

const messageTypes = 7

//nolint:gochecknoglobals // a table
var exemplars = [messageTypes]sealedview.Message{
	sealedview.Renew{}, sealedview.Grant{}, sealedview.Exclude{}, sealedview.Excluded{},
	sealedview.Push{}, sealedview.Barrier{}, sealedview.Heard{},
}

// messageType is the place of a message's type in exemplars, or messageTypes.
func messageType(m sealedview.Message) int {
	switch m.(type) {
	case sealedview.Renew:
		return 0
	case sealedview.Grant:
		return 1
	case sealedview.Exclude:
		return 2
	case sealedview.Excluded:
		return 3
	case sealedview.Push:
		return 4
	case sealedview.Barrier:
		return 5
	case sealedview.Heard:
		return 6
	}
	return messageTypes
}

// readOnly takes from some machines the right to write to the store.
func readOnly(w *world) (string, func()) {
	some := w.rng.Uint32()
	w.store.refused |= some
	return fmt.Sprintf("the machines %09b may not write to the store", some&(1<<maxMachines-1)), func() { w.store.refused = 0 }
}

// exile cuts some machines from the others, and from the store or from writing
// to it, for so long that the others can do without them.
func exile(w *world) (string, func()) {
	some := w.rng.Uint32()
	end := w.part(func(m int) bool { return some>>m&1 == 1 })
	ends := []func(){end}
	if w.rng.IntN(2) == 0 {
		for m := range maxMachines {
			if some>>m&1 == 1 {
				ends = append(ends, w.cut(m, toStore))
			}
		}
	} else {
		w.store.refused |= some
		ends = append(ends, func() { w.store.refused = 0 })
	}
	p := &w.plan.params
	w.later(p.Stale()+10*p.Lease+w.within(5*time.Second), endAll(ends))
	return fmt.Sprintf("the machines %09b are cut from the others, and from the store in part", some&(1<<maxMachines-1)), nil
}

func endAll(ends []func()) func() {
	return func() {
		for _, end := range ends {
			end()
		}
	}
}

// later has something happen after d, at the end of all faults at the latest.
func (w *world) later(d time.Duration, what func()) {
	w.push(event{at: min(w.now+d, w.plan.trouble), kind: repair, payload: what})
}

// wave starts many machines at once.
func wave(w *world) (string, func()) {
	for m := range maxMachines {
		if w.running[m] == nil && w.rng.IntN(4) > 0 {
			w.push(event{at: w.now + w.within(20*time.Millisecond), kind: start, from: int32(m)})
		}
	}
	return "many machines start", nil
}

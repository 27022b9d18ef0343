package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

// trouble is one kind of fault: it begins, and returns what ends it, or nil.
type trouble struct {
	weight int
	begin  func(w *world) (what string, end func())
}

// troubles are what a profile consists of.
func (w *world) troubles() []trouble {
	all := []trouble{
		{6, cutOneWay}, {4, cutBothWays}, {4, isolate}, {3, split}, {3, lossy}, {3, slow}, {2, twice}, {2, mixed},
		{8, pause}, {3, sleep}, {4, crash}, {3, leave}, {3, join}, {2, wave}, {3, mute},
	}
	switch w.plan.profile {
	case Churn:
		all = append(all, trouble{20, leave}, trouble{25, join}, trouble{10, crash}, trouble{10, pause})
	case Majority:
		all = append(all, trouble{8, crashMost}, trouble{8, pauseMost}, trouble{10, exile})
	case Backup:
		return append(all, trouble{10, rollBack}, trouble{3, deleteRecord}, trouble{2, usurp}, trouble{3, garble}, trouble{4, writeFails},
			trouble{4, pauseMost}, trouble{8, rewind}, trouble{8, fork})
	}
	return append(all, trouble{2, silence},
		trouble{4, storeStalls}, trouble{6, storeCut}, trouble{5, writeFails}, trouble{4, stale}, trouble{2, readOnly})
}

// torment begins a fault, now and then.
func (w *world) torment() {
	if w.now >= w.plan.trouble {
		return
	}
	w.push(event{at: w.now + w.about(w.plan.every), kind: fault})
	total := 0
	for _, t := range w.faults {
		total += t.weight
	}
	pick := w.rng.IntN(total)
	for _, t := range w.faults {
		if pick -= t.weight; pick < 0 {
			what, end := t.begin(w)
			if what != "" {
				w.note(note{what: noteFault, proc: -1, text: what})
			}
			if end != nil {
				w.push(event{at: min(w.now+w.about(w.plan.lasts), w.plan.trouble), kind: repair, payload: end})
			}
			return
		}
	}
}

// about is a time of that mean, exponentially distributed.
func (w *world) about(mean time.Duration) time.Duration {
	return min(time.Duration(w.rng.ExpFloat64()*float64(mean)), 10*mean) + 1
}

// anyone is a process that runs, or nil.
func (w *world) anyone() *process {
	var some []*process
	for _, p := range w.running {
		if p != nil {
			some = append(some, p)
		}
	}
	if len(some) == 0 {
		return nil
	}
	return some[w.rng.IntN(len(some))]
}

func (w *world) cut(from, to int) func() {
	w.net.cut[from][to]++
	return func() { w.net.cut[from][to]-- }
}

func cutOneWay(w *world) (string, func()) {
	a, b := w.rng.IntN(maxMachines), w.rng.IntN(maxMachines)
	return fmt.Sprintf("machine %c does not reach %c", 'a'+a, 'a'+b), w.cut(a, b)
}

func cutBothWays(w *world) (string, func()) {
	a, b := w.rng.IntN(maxMachines), w.rng.IntN(maxMachines)
	there, back := w.cut(a, b), w.cut(b, a)
	return fmt.Sprintf("machines %c and %c are cut from each other", 'a'+a, 'a'+b), func() { there(); back() }
}

func isolate(w *world) (string, func()) {
	m := w.rng.IntN(maxMachines)
	return fmt.Sprintf("machine %c is cut from the others", 'a'+m), w.part(func(i int) bool { return i == m })
}

func split(w *world) (string, func()) {
	side := w.rng.Uint32()
	return fmt.Sprintf("the machines are split: %09b", side&(1<<maxMachines-1)), w.part(func(i int) bool { return side>>i&1 == 1 })
}

// part cuts those who are on one side from the others.
func (w *world) part(side func(int) bool) func() {
	var ends []func()
	for a := range maxMachines {
		for b := range maxMachines {
			if side(a) != side(b) {
				ends = append(ends, w.cut(a, b))
			}
		}
	}
	return func() {
		for _, end := range ends {
			end()
		}
	}
}

func lossy(w *world) (string, func()) {
	w.net.loss = w.rng.Float64() * 0.5
	return fmt.Sprintf("%.0f %% of the messages are lost", 100*w.net.loss), func() { w.net.loss = 0 }
}

func slow(w *world) (string, func()) {
	w.net.delay = w.about(100 * time.Millisecond)
	return fmt.Sprintf("messages take up to %v", w.net.delay), func() { w.net.delay = 0 }
}

func twice(w *world) (string, func()) {
	w.net.twice = 0.3
	return "messages are duplicated", func() { w.net.twice = 0 }
}

func mixed(w *world) (string, func()) {
	w.net.mixed, w.net.delay = true, w.about(50*time.Millisecond)
	return "messages overtake each other", func() { w.net.mixed, w.net.delay = false, 0 }
}

func pause(w *world) (string, func()) {
	p := w.anyone()
	if p == nil {
		return "", nil
	}
	w.pause(p, w.about(w.plan.lasts))
	return fmt.Sprintf("%s is paused until %.6f", p.self.ID, p.paused.Seconds()), nil
}

// sleep is a pause of the machine: its clock stands still.
func sleep(w *world) (string, func()) {
	p := w.anyone()
	if p == nil || p.paused > w.now {
		return "", nil
	}
	p.asleep = w.now
	w.pause(p, w.about(2*w.plan.lasts))
	return fmt.Sprintf("machine %c sleeps until %.6f", 'a'+p.machine, p.paused.Seconds()), nil
}

func pauseMost(w *world) (string, func()) {
	for _, p := range w.running {
		if p != nil && w.rng.IntN(3) > 0 {
			w.pause(p, w.about(4*w.plan.lasts))
		}
	}
	return "most processes are paused", nil
}

func (w *world) pause(p *process, d time.Duration) {
	p.paused = max(p.paused, min(w.now+d, max(w.now, w.plan.trouble)))
	w.push(event{at: p.paused, kind: resume, proc: p.id})
}

func crash(w *world) (string, func()) {
	p := w.anyone()
	if p == nil || w.mode == Liveness && w.plan.profile != Majority && !w.spare(p) {
		return "", nil
	}
	w.crash(p)
	return "", nil
}

func crashMost(w *world) (string, func()) {
	for _, p := range w.running {
		if p != nil && w.rng.IntN(3) > 0 {
			w.crash(p)
		}
	}
	return "most processes have crashed", nil
}

func (w *world) crash(p *process) {
	w.stop(p, "crashes")
	if w.rng.IntN(4) > 0 {
		w.push(event{at: w.now + w.about(2*time.Second), kind: start, from: int32(p.machine)})
	}
}

// spare reports whether the view that stands can do without a process: whether
// most of its grantors, and of those before them that it still needs, live on.
func (w *world) spare(p *process) bool {
	v := w.store.view
	if v == nil || !slices.ContainsFunc(v.Members, func(m sealedview.Member) bool {
		q := w.byID[m.ID]
		return q != p && !q.dead && !q.leaving
	}) {
		return false
	}
	return w.most(v.Council(), p) && w.most(v.Grantors(), p) && w.most(v.Previous, p)
}

func (w *world) most(grantors []string, but *process) bool {
	alive := 0
	for _, id := range grantors {
		if id == sealedview.StoreGrantor {
			alive++
			continue
		}
		if q := w.byID[id]; q != but && !q.dead {
			alive++
		}
	}
	return len(grantors) == 0 || alive >= sealedview.Quorum(len(grantors))
}

func leave(w *world) (string, func()) {
	p := w.anyone()
	if p == nil || p.node.View() == nil || p.leaving || w.mode == Liveness && !w.spare(p) {
		return "", nil
	}
	p.leaving = true
	if p.paused <= w.now {
		w.step(p, sealedview.Leave{})
	}
	return p.self.ID + " is asked to leave", nil
}

func join(w *world) (string, func()) {
	m := w.rng.IntN(maxMachines)
	if w.running[m] != nil {
		return "", nil
	}
	w.push(event{at: w.now, kind: start, from: int32(m)})
	return fmt.Sprintf("machine %c starts", 'a'+m), nil
}

func storeStalls(w *world) (string, func()) {
	w.store.stalled = max(w.store.stalled, min(w.now+w.about(w.plan.lasts), w.plan.trouble))
	return fmt.Sprintf("the store stalls until %.6f", w.store.stalled.Seconds()), nil
}

func storeCut(w *world) (string, func()) {
	if w.rng.IntN(3) == 0 {
		var ends []func()
		for m := range maxMachines {
			ends = append(ends, w.cut(m, toStore))
		}
		return "all machines are cut from the store", func() {
			for _, end := range ends {
				end()
			}
		}
	}
	m := w.rng.IntN(maxMachines)
	return fmt.Sprintf("machine %c is cut from the store", 'a'+m), w.cut(m, toStore)
}

func writeFails(w *world) (string, func()) {
	w.store.fails, w.store.late = w.rng.Float64()/2, w.rng.Float64()/2
	return "writes to the store fail, before or after they happened, or happen late",
		func() { w.store.fails, w.store.late = 0, 0 }
}

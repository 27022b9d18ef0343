package sim

import (
	"fmt"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

// process is one process of a machine: a node, its clock and its host. A process
// that starts again is another one.
type process struct {
	id      int32
	machine int
	self    sealedview.Member
	node    *sealedview.Node
	clock   clock

	dead    bool // crashed, or ended after it was evicted or has left
	leaving bool
	paused  time.Duration // until then
	asleep  time.Duration // its clock stands still since then; 0 if it does not
	backlog []event       // what happened meanwhile
	tickAt  time.Duration // when the next tick is to come
	until   time.Duration // on its clock: the end of its lease after the last step

	host host
}

// clock runs from any instant at a rate that is off by some millionths.
type clock struct {
	offset time.Duration
	ppm    time.Duration
}

func (c clock) local(at time.Duration) time.Duration {
	return c.offset + at + at*c.ppm/1e6
}

// real is the first instant at which the clock shows local or more.
func (c clock) real(local time.Duration) time.Duration {
	t := time.Duration(float64(local-c.offset) / (1 + float64(c.ppm)/1e6))
	for c.local(t) >= local {
		t--
	}
	for c.local(t) < local {
		t++
	}
	return t
}

// serves reports whether a process, paused or not, can dispatch messages. One
// that sleeps looks at its clock once more before.
func (p *process) serves(at time.Duration) bool {
	return !p.dead && p.asleep == 0 && p.node.Serves(p.clock.local(at))
}

// wake has the clock of a process go on, and the process know that it stood still.
func (w *world) wake(p *process) {
	if p.asleep == 0 {
		return
	}
	slept := p.clock.local(w.now) - p.clock.local(p.asleep)
	p.clock.offset -= slept
	p.asleep, p.until = 0, never // if it still has a lease, it has it again
	if w.plan.lie != HiddenSleep {
		w.step(p, sealedview.Slept{For: slept})
	}
}

// spawn starts a process on a machine, or has one be another member.
func (w *world) spawn(machine int, was sealedview.Past) {
	w.incarnations[machine]++
	p := &process{
		id:      int32(len(w.procs)),
		machine: machine,
		self: sealedview.Member{
			ID:      fmt.Sprintf("%c%d", 'a'+machine, w.incarnations[machine]),
			Address: fmt.Sprintf("10.0.0.%d:4040", machine+1),
			State:   sealedview.Active,
			Was:     was,
		},
		clock: clock{
			offset: time.Duration(w.rng.Int64N(int64(time.Hour))),
			ppm:    time.Duration(w.rng.IntN(2*w.plan.ppm+1) - w.plan.ppm),
		},
		tickAt: -1,
		until:  never,
	}
	p.host.answers, p.host.told = make(map[string]identities), make(map[string]bool)
	p.node = sealedview.NewNode(sealedview.Config{
		Self: p.self, Mode: w.plan.grantors, Cluster: fmt.Sprintf("cluster of %s", p.self.ID), Params: w.plan.params,
		Started: w.wallClock(p), Stagger: w.plan.stagger,
	})
	w.procs = append(w.procs, p)
	w.byID[p.self.ID] = p
	w.running[machine] = p
	w.note(note{what: noteStart, proc: p.id})
	w.push(event{at: w.now, kind: announce, proc: p.id})
	w.step(p, sealedview.Tick{})
}

// wallClock is what a process believes the time to be when its monotonic clock
// shows zero. It may be hours off, and is the same for all where that is to test
// what equal epochs do.
func (w *world) wallClock(p *process) uint64 {
	switch {
	case w.plan.stoppedWallClock:
		return 0
	case w.plan.wrongWallClocks:
		return uint64(1_700_000_000_000 + w.rng.Int64N(7_200_000))
	}
	return 1_700_000_000_000 - uint64(p.clock.offset.Milliseconds())
}

// stop ends a process.
func (w *world) stop(p *process, why string) {
	w.note(note{what: noteStop, proc: p.id, text: why})
	p.dead = true
	p.backlog = nil
	p.host.drop()
	w.running[p.machine] = nil
	w.store.forget(w, p)
}

// step gives a node an event and does what it asks for.
func (w *world) step(p *process, e sealedview.Event) {
	local := p.clock.local(w.now)
	effects := p.node.Step(local, e)
	w.steps++
	var installed *sealedview.View
	evicted := false
	for _, effect := range effects {
		switch effect := effect.(type) {
		case sealedview.Send:
			w.send(p, effect.To, effect.Message)
		case sealedview.ReadStore:
			w.ask(p, &operation{proc: p, sent: local})
		case sealedview.WriteStore:
			w.note(note{what: noteWrite, proc: p.id, view: effect.View})
			w.ask(p, &operation{proc: p, sent: local, write: effect.View, version: effect.Version})
		case sealedview.Installed:
			installed = effect.View
			w.note(note{what: noteInstall, proc: p.id, view: effect.View})
			w.referee.installed(w, p, effect.View)
		case sealedview.Evicted:
			w.note(note{what: noteEvicted, proc: p.id, view: effect.View})
			p.host.drop()
			evicted = true
		case sealedview.Warn:
			w.note(note{what: noteWarn, proc: p.id, text: effect.Text})
		case sealedview.Violated:
			w.fail("%s: %s", p.self.ID, effect.Text)
		}
	}
	if evicted {
		w.end(p)
		return
	}
	w.referee.stepped(w, p, local)
	if installed != nil {
		w.place(p, installed)
	}
	w.activate(p, local)
	if at := w.realOf(p); p.tickAt < 0 || at < p.tickAt {
		p.tickAt = at
		w.push(event{at: at, kind: tick, proc: p.id})
	}
}

// realOf is when a node wants its next tick.
func (w *world) realOf(p *process) time.Duration {
	return max(w.now+1, p.clock.real(p.node.Next()))
}

// ticked gives a node its turn if it is due; it may have moved since the tick was
// ordered.
func (w *world) ticked(p *process) {
	p.tickAt = -1
	if at := p.clock.real(p.node.Next()); at > w.now {
		p.tickAt = at
		w.push(event{at: at, kind: tick, proc: p.id})
		return
	}
	w.step(p, sealedview.Tick{})
}

// end ends a process that was evicted or has left; the former comes again as
// another member.
func (w *world) end(p *process) {
	if p.leaving {
		w.stop(p, "left")
		w.push(event{at: w.now + w.within(3*time.Second), kind: start, from: int32(p.machine)})
		return
	}
	w.stop(p, "evicted")
	w.push(event{at: w.now + w.within(100*time.Millisecond), kind: start, from: int32(p.machine), payload: p.node.Past()})
}

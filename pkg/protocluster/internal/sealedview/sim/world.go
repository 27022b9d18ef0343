package sim

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

// Mode says what a run has to show.
type Mode string

// The modes.
const (
	// Safety is faults all the time: no promise is ever broken.
	Safety Mode = "safety"
	// Liveness is faults that end: then everything works again, soon.
	Liveness Mode = "liveness"
)

// Config says which run it is to be.
type Config struct {
	Seed    uint64
	Mode    Mode
	Profile Profile   // "" lets the seed choose
	Trace   io.Writer // gets every event, if not nil
	// Grantors says who grants leases; "" lets the seed choose.
	Grantors sealedview.Mode

	// Adjust changes the times of the protocol, for tests.
	Adjust func(*sealedview.Params)
	// Rate is by how many millionths clocks are off; 0 lets the seed choose,
	// within what the protocol allows.
	Rate int
	// Lie has the hosts break their word.
	Lie Lie
}

// Result is what came of a run.
type Result struct {
	Config Config
	Plan   string
	Fault  string   // the promise that was broken; "" if none was
	Tail   []string // the last events before
	At     time.Duration

	Digest      uint64 // of the trace
	Steps       int
	NodeSeconds float64
	Views       int           // that the store has had
	Agreed      time.Duration // after the end of the faults, until all were on one view
	Served      time.Duration // and until all identities were served
}

// world is a cluster in a box.
type world struct {
	mode Mode
	plan plan
	rng  *rand.Rand
	now  time.Duration
	queue
	procs        []*process // by id
	byID         map[string]*process
	running      [maxMachines]*process
	incarnations [maxMachines]int
	placement    map[sealedview.Stamp][]string
	net          network
	store        store
	faults       []trouble
	ambush       ambush // or nil
	unwatched    bool   // a change of the store that no watch tells of
	referee      referee
	trace        trace
	steps        int
	life         life
}

// Run makes one run. The same Config gives the same run, event by event.
func Run(c Config) Result {
	w := build(c)
	r := Result{Config: c, Plan: w.plan.String()}
	alive, last := 0, time.Duration(0)
	end := w.plan.trouble
	if c.Mode == Liveness {
		end += time.Hour // or until there is nothing to judge any more
	}
	for len(w.events) > 0 && w.referee.fault == "" && !w.life.over && w.events[0].at <= end {
		e := w.pop()
		if e.at > last {
			r.NodeSeconds += float64(alive) * (e.at - last).Seconds()
			last, alive = e.at, w.alive()
		}
		w.now = e.at
		w.happen(e)
	}
	r.Fault, r.At, r.Digest, r.Steps, r.Views = w.referee.fault, w.now, w.trace.digest, w.steps, len(w.store.history)
	r.Agreed, r.Served = w.life.agreed, w.life.served
	if r.Fault != "" {
		r.Tail = w.tail(40)
	}
	return r
}

func build(c Config) *world {
	rng := rand.New(rand.NewPCG(c.Seed, 0x5ea1ed))
	profile := Profiles()[rng.IntN(len(Profiles()))]
	if c.Profile != "" {
		profile = c.Profile
	}
	w := &world{
		mode: c.Mode, rng: rng, plan: drawn(rng, profile, c.Mode),
		byID: make(map[string]*process), placement: make(map[sealedview.Stamp][]string),
	}
	if c.Rate != 0 {
		w.plan.ppm = c.Rate
	}
	if c.Grantors != "" {
		w.plan.grantors = c.Grantors
	}
	if c.Adjust != nil {
		c.Adjust(&w.plan.params)
	}
	w.plan.lie = c.Lie
	w.plan.pulls = w.plan.pulls || c.Lie == HeldPulls
	w.trace.out = c.Trace
	w.referee = newReferee(w.plan.identities)
	w.life = life{agreed: never, served: never}
	if profile != Calm {
		w.faults = w.troubles()
		w.push(event{at: 2 * time.Second, kind: fault})
	}
	for m := range w.plan.machines {
		w.push(event{at: w.within(500 * time.Millisecond), kind: start, from: int32(m)})
	}
	w.push(event{at: time.Second, kind: request})
	if c.Mode == Liveness {
		w.push(event{at: w.plan.trouble, kind: heal})
	}
	return w
}

// within is a time below d.
func (w *world) within(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return time.Duration(w.rng.Int64N(int64(d)))
}

func (w *world) alive() int {
	n := 0
	for _, p := range w.running {
		if p != nil {
			n++
		}
	}
	return n
}

// happen has an event happen. A paused process finds it when it goes on.
func (w *world) happen(e event) {
	switch e.kind {
	case arrive, apply:
		w.arrived(e.payload.(*operation))
	case start:
		was, evicted := e.payload.(sealedview.Past)
		if m := int(e.from); w.running[m] == nil && (w.now <= w.plan.trouble || evicted) {
			w.spawn(m, was)
		}
	case request:
		w.push(event{at: w.now + 10*time.Millisecond, kind: request})
		w.requested(w.rng.IntN(w.plan.identities))
	case fault:
		w.torment()
	case repair:
		e.payload.(func())()
	case heal:
		w.heal()
	case judge:
		w.judge()
	default:
		w.happenTo(w.procs[e.proc], e)
	}
}

func (w *world) happenTo(p *process, e event) {
	switch {
	case p.dead:
	case p.paused > w.now:
		if e.kind != resume {
			p.backlog = append(p.backlog, e)
		}
	case e.kind == resume:
		backlog := p.backlog
		p.backlog = nil
		w.wake(p)
		if p.leaving {
			w.step(p, sealedview.Leave{})
		}
		for _, e := range backlog {
			w.happenTo(p, e)
		}
	case e.kind == tick:
		if e.at == p.tickAt { // or else it was brought forward
			w.ticked(p)
		}
	case e.kind == deliver:
		w.delivered(p, w.procs[e.from], e.payload)
	case e.kind == respond:
		w.step(p, e.payload.(*operation).event)
	case e.kind == watch:
		w.watched(p)
	case e.kind == letGo:
		if v := e.payload.(*sealedview.View); p.host.view == v {
			w.released(p, int(e.from))
		}
	case e.kind == announce:
		w.announced(p)
	}
}

// delivered has a process hear what another says.
func (w *world) delivered(p, from *process, payload any) {
	switch m := payload.(type) {
	case pull:
		w.pulled(p, from, m)
	case sealedview.Message:
		w.note(note{what: noteHear, proc: p.id, from: from.id, message: m})
		if r, ok := m.(sealedview.Renew); ok {
			w.trace.digest ^= r.Seq
		}
		w.step(p, sealedview.Received{From: &from.self, Message: m})
		w.referee.promised(w, p, from)
	}
}

// Replay is the command that makes the same run and shows all of it.
func (c Config) Replay() string {
	s := fmt.Sprintf("go run ./pkg/protocluster/internal/sealedview/simulate -mode %s -seed %d -trace", c.Mode, c.Seed)
	if c.Profile != "" {
		s += " -profile " + string(c.Profile)
	}
	if c.Grantors != "" {
		s += " -grantors " + string(c.Grantors)
	}
	if c.Rate != 0 {
		s += fmt.Sprintf(" -rate %d", c.Rate)
	}
	return s
}

// String is a report for people.
func (r Result) String() string {
	if r.Fault == "" {
		return fmt.Sprintf("seed %d %s: holds for %v, %d views (%s)",
			r.Config.Seed, r.Config.Mode, r.At.Round(time.Millisecond), r.Views, r.Plan)
	}
	return fmt.Sprintf("seed %d %s: BROKEN at %.6f: %s\n  %s\n\n%s\n\nreplay: %s\n", r.Config.Seed, r.Config.Mode, r.At.Seconds(), r.Fault,
		r.Plan, strings.Join(r.Tail, "\n"), r.Config.Replay())
}

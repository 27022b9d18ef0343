package sim

import "time"

// Process is something that can be paused and killed.
type Process struct {
	Name string

	sim    *Sim
	paused bool
	killed bool
	missed []func() // while it was paused
}

// Process starts a process. Of those of one name, which share their links, at
// most one should not be killed.
func (s *Sim) Process(name string) *Process { return &Process{Name: name, sim: s} }

// Running reports whether p is neither paused nor killed.
func (p *Process) Running() bool { return !p.paused && !p.killed }

// Killed reports whether p was killed.
func (p *Process) Killed() bool { return p.killed }

// After calls f on p after d, or later if p is paused then.
func (p *Process) After(d time.Duration, f func()) {
	p.sim.push(time.Now().Add(d), func() { p.run(f) })
}

// Send calls f on another process when a message from p has arrived there, if it
// does. From p to itself it takes no time, and is not lost.
func (p *Process) Send(to *Process, f func()) {
	if p == to {
		p.After(0, f)
		return
	}
	c := p.sim.cable(p.Name, to.Name)
	if c.cut || p.killed {
		return
	}
	p.sim.push(c.arrival(), func() {
		if !c.cut {
			to.run(f)
		}
	})
}

// Pause keeps from p all that happens until it is resumed.
func (p *Process) Pause() { p.paused = true }

// Resume wakes p, which then catches up with what it has missed.
func (p *Process) Resume() {
	p.paused = false
	missed := p.missed
	p.missed = nil
	for _, f := range missed {
		p.After(0, f)
	}
}

// Kill ends p for good.
func (p *Process) Kill() { p.killed = true }

func (p *Process) run(f func()) {
	switch {
	case p.killed:
	case p.paused:
		p.missed = append(p.missed, f)
	default:
		f()
	}
}

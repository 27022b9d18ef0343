package testkit

import "slices"

// Cut stops what goes over the routes from now on and what is under way, in
// that direction only. Writers fill their windows and then block, dials wait
// for their ctx.
func (n *Network) Cut(routes ...Route) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.settle()
	for _, r := range routes {
		n.cut(r)
	}
}

// Partition cuts two hosts off from each other, in both directions.
func (n *Network) Partition(a, b string) {
	n.Cut(Route{From: a, To: b}, Route{From: b, To: a})
}

// Split cuts every host of one side off from every host of the other.
func (n *Network) Split(left, right []string) {
	for _, a := range left {
		for _, b := range right {
			n.Partition(a, b)
		}
	}
}

// Isolate cuts a host off from all others that the network knows.
func (n *Network) Isolate(host string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.settle()
	for name := range n.machines {
		if name != host {
			n.cut(Route{host, name})
			n.cut(Route{name, host})
		}
	}
}

func (n *Network) settle() {
	for _, l := range n.links {
		l.settle()
	}
}

func (n *Network) cut(r Route) {
	l := n.link(r)
	l.cut = true
	l.hold()
}

// Heal ends what was cut between two hosts, in both directions. All that was
// held is sent again at once and takes as long as the link then takes.
func (n *Network) Heal(a, b string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.heal(Route{a, b})
	n.heal(Route{b, a})
}

// HealAll ends every cut.
func (n *Network) HealAll() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for r := range n.links {
		n.heal(r)
	}
}

func (n *Network) heal(r Route) {
	if l := n.link(r); l.cut {
		l.cut = false
		l.release()
	}
}

// Reset breaks the connections between two hosts at both ends, at once, as a
// firewall that forgets them does. What had arrived can still be read.
func (n *Network) Reset(a, b string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.settle()
	for _, r := range []Route{{a, b}, {b, a}} {
		for _, f := range slices.Clone(n.link(r).flows) {
			f.from.reset()
			f.to.reset()
		}
	}
}

// Pause stops a host as SIGSTOP stops a process: its Reads, Writes, Accepts and
// Dials block, bytes for it queue until the windows are full, and the machine
// still completes handshakes for it. Its timers go on, which a stopped
// process's would not.
func (n *Network) Pause(host string) { n.pause(host, true) }

// Resume ends Pause.
func (n *Network) Resume(host string) { n.pause(host, false) }

func (n *Network) pause(host string, paused bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	m := n.machine(host)
	m.paused = paused
	if m.host == nil {
		return
	}
	for c := range m.host.conns {
		c.changed.Broadcast()
	}
	for l := range m.host.listeners {
		l.changed.Broadcast()
	}
}

// Kill ends a host's process: its listeners are gone, its connections are
// closed for it and reset for their other ends as soon as that news arrives;
// over a route that is cut it never does, and they learn it when they write
// after the heal. Whatever still runs of the process reaches nothing any more.
// The machine is up: the next Host of that name starts at once.
func (n *Network) Kill(host string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.settle()
	n.kill(n.machine(host))
}

func (n *Network) kill(m *machine) {
	if m.host != nil {
		m.host.end()
	}
	m.host, m.paused = nil, false
}

// Crash takes a host's machine away without a word: the others' connections
// stay and stall, dials to it wait for their ctx. Whatever still runs on it
// reaches nothing any more, and neither does a new Host until Restart.
func (n *Network) Crash(host string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.settle()
	m := n.machine(host)
	m.down = true
	n.kill(m)
	for _, l := range n.links {
		if l.to == m {
			l.hold()
		}
	}
}

// Restart brings a crashed host's machine back. It knows nothing of the
// connections of before, and resets them when their other ends write, or have
// written meanwhile. The next Host of that name can listen and dial.
func (n *Network) Restart(host string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	m := n.machine(host)
	if !m.down {
		return
	}
	m.down = false
	n.kill(m)
	for _, l := range n.links {
		if l.to == m {
			l.release()
		}
	}
}

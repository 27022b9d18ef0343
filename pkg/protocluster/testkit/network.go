package testkit

import (
	"encoding/binary"
	"hash/fnv"
	"sync"
)

// Network is an in-memory network with addresses and faults, for tests of
// whole nodes in a bubble of testing/synctest: every wait in it is a bubble's,
// so virtual time passes while nodes talk. It works outside of bubbles too, in
// real time. It starts no goroutine; make it inside the bubble that uses it.
//
// A host is a name, and one node's place. What goes from one host to another
// obeys the Link of that Route, and the faults: a network that is cut swallows
// bytes and their senders keep them, as TCP does, until it is healed. Nothing
// breaks a connection but its ends, Reset, Kill and a restart after Crash.
//
// All methods may be called concurrently and take effect before they return.
type Network struct {
	seed uint64

	mu       sync.Mutex
	shape    Link // of the routes that have none of their own
	machines map[string]*machine
	links    map[Route]*link
}

// machine is what stays of a host when its process is killed.
type machine struct {
	name         string
	host         *Host // the process that runs now
	listeners    map[int]*listener
	last         int // port picked last
	down, paused bool
}

const (
	loopback  = "127.0.0.1"
	firstPort = 40000
	lastPort  = 65535
)

// NewNetwork is a network of perfect links. The seeds decide, with the number
// of the connection and of the message in it, what jitter and loss do to it.
func NewNetwork(seeds ...uint64) *Network {
	h := fnv.New64a()
	_ = binary.Write(h, binary.LittleEndian, seeds) // a hash takes every write
	return &Network{seed: h.Sum64(), machines: map[string]*machine{}, links: map[Route]*link{}}
}

// Host is what the process that now runs on the host sees of the network. The
// name may be anything that can stand before a port: "10.0.0.1", "node-a". An
// empty or loopback name is the host 127.0.0.1, which several nodes may share
// as they would share a laptop.
func (n *Network) Host(name string) *Host {
	n.mu.Lock()
	defer n.mu.Unlock()
	m := n.machine(name)
	if m.host == nil {
		m.host = &Host{network: n, machine: m, conns: map[*conn]bool{}, listeners: map[*listener]bool{}}
		m.host.gone = m.down
	}
	return m.host
}

// Shape gives the routes a link, or all routes if none is named, which then
// forget links of their own. It holds for what is written from now on. A host
// reaches itself over a perfect link whatever the network's is.
func (n *Network) Shape(l Link, routes ...Route) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(routes) == 0 {
		n.shape = l
		for _, l := range n.links {
			l.shape = nil
		}
	}
	for _, r := range routes {
		n.link(r).shape = &l
	}
}

// Dials counts the connections that were asked for over a route.
func (n *Network) Dials(r Route) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.link(r).dials
}

func (n *Network) machine(name string) *machine {
	name = canonical(name)
	m := n.machines[name]
	if m == nil {
		m = &machine{name: name, listeners: map[int]*listener{}, last: firstPort - 1}
		n.machines[name] = m
	}
	return m
}

func (n *Network) link(r Route) *link {
	from, to := n.machine(r.From), n.machine(r.To)
	r = Route{from.name, to.name}
	l := n.links[r]
	if l == nil {
		l = &link{network: n, from: from, to: to}
		n.links[r] = l
	}
	return l
}

// pick is a port that nobody listens at and that was not picked lately.
func (m *machine) pick() int {
	for {
		if m.last++; m.last > lastPort {
			m.last = firstPort
		}
		if m.listeners[m.last] == nil {
			return m.last
		}
	}
}

// canonical gives all names of the own host one spelling.
func canonical(name string) string {
	switch name {
	case "", "localhost", "0.0.0.0", "::", "::1":
		return loopback
	}
	return name
}

package automanaged

import (
	"bytes"
	"cmp"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"sync"

	"github.com/hashicorp/memberlist"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// roster is who memberlist says is alive, this node and clients included. It is
// memberlist's EventDelegate: memberlist's own list may not be read while it
// changes. All methods may be called concurrently.
type roster struct {
	self  string
	dirty chan struct{} // holds one: something changed since it was taken out

	mu    sync.Mutex
	nodes map[string]*entry   // guarded by mu, as is all below
	kinds map[digest][]string // lists that did not fit into a meta
}

// entry is one node, by the meta that came last.
type entry struct {
	node  memberlist.Node // name, address, port
	meta  []byte
	read  bool
	card  card
	fault error // why the card is not believed
	told  bool
}

// get reads what the node says of itself, once.
func (e *entry) get() (card, error) {
	if !e.read {
		e.read = true
		e.card, e.fault = readCard(e.node.Name, e.meta)
	}
	return e.card, e.fault
}

func newRoster(self string) *roster {
	return &roster{self: self, dirty: make(chan struct{}, 1), nodes: map[string]*entry{}, kinds: map[digest][]string{}}
}

// NotifyJoin implements memberlist.EventDelegate.
func (r *roster) NotifyJoin(n *memberlist.Node) { r.NotifyUpdate(n) }

// NotifyUpdate implements memberlist.EventDelegate.
func (r *roster) NotifyUpdate(n *memberlist.Node) {
	e := &entry{
		node: memberlist.Node{Name: n.Name, Addr: slices.Clone(n.Addr), Port: n.Port},
		meta: bytes.Clone(n.Meta),
	}
	r.mu.Lock()
	if old := r.nodes[n.Name]; old != nil {
		e.told = old.told
	}
	r.nodes[n.Name] = e
	r.mu.Unlock()
	r.touch()
}

// NotifyLeave implements memberlist.EventDelegate.
func (r *roster) NotifyLeave(n *memberlist.Node) {
	r.mu.Lock()
	delete(r.nodes, n.Name)
	r.mu.Unlock()
	r.touch()
}

func (r *roster) touch() {
	select {
	case r.dirty <- struct{}{}:
	default:
	}
}

// learn keeps a list of kinds that a node's digest stands for; there is no need
// to trust who brought it.
func (r *roster) learn(kinds []string) {
	if validKinds(kinds) != nil {
		return
	}
	d := digestOf(kinds)
	r.mu.Lock()
	wanted := false
	for _, e := range r.nodes {
		c, err := e.get()
		wanted = wanted || err == nil && bytes.Equal(c.Digest, d[:])
	}
	_, known := r.kinds[d]
	if wanted && !known {
		r.kinds[d] = kinds
	}
	r.mu.Unlock()
	if wanted && !known {
		r.touch()
	}
}

// list returns the kinds that a digest stands for.
func (r *roster) list(d digest) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.kinds[d]
}

// lists returns every list that is known by a digest.
func (r *roster) lists() [][]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all [][]string
	for _, kinds := range r.kinds {
		all = append(all, kinds)
	}
	return all
}

// node returns where a node's endpoint is.
func (r *roster) node(name string) (memberlist.Node, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.nodes[name]
	if e == nil {
		return memberlist.Node{}, false
	}
	return e.node, true
}

// endpoints returns where the endpoints of all nodes are, and how many nodes
// there are beside this one.
func (r *roster) endpoints() (at map[netip.AddrPort]bool, others int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at = map[netip.AddrPort]bool{}
	for name, e := range r.nodes {
		at[e.endpoint()] = true
		if name != r.self {
			others++
		}
	}
	return at, others
}

func (e *entry) endpoint() netip.AddrPort {
	ip, _ := netip.AddrFromSlice(e.node.Addr)
	return netip.AddrPortFrom(ip.Unmap(), e.node.Port)
}

// muster is the roster as the cluster shall see it.
type muster struct {
	members []cluster.Member
	asks    map[digest]memberlist.Node // lists of kinds that are missing, and who has them
	faults  []error                    // nodes that are not believed, each told once
}

// muster returns the members but this node, sorted by ID. Of several at one
// address, which only a restart makes, the one that started last is alive: the
// others are left out before memberlist knows that they are dead.
func (r *roster) muster() muster {
	r.mu.Lock()
	defer r.mu.Unlock()
	var m muster
	var alive []*entry
	for _, e := range r.nodes {
		switch c, err := e.get(); {
		case err != nil && !e.told:
			e.told = true
			m.faults = append(m.faults, fmt.Errorf("node %.40q at %s is ignored: %w", e.node.Name, e.endpoint(), err))
		case err == nil && !c.Client:
			alive = append(alive, e)
		}
	}
	m.asks = map[digest]memberlist.Node{}
	needed := map[digest]bool{}
	for e, rival := range r.rivals(alive) {
		if rival != nil {
			if !e.told {
				e.told = true
				m.faults = append(m.faults, fmt.Errorf("node %.40q at %s is ignored: %.40q started later at the same address %s",
					e.node.Name, e.endpoint(), rival.node.Name, e.card.Address))
			}
			continue
		}
		member := cluster.Member{ID: e.node.Name, Address: e.card.Address, Kinds: e.card.Kinds, Status: e.card.Status}
		if len(e.card.Digest) > 0 {
			d := digest(e.card.Digest)
			needed[d] = true
			var known bool
			if member.Kinds, known = r.kinds[d]; !known {
				m.asks[d] = e.node
				continue
			}
		}
		if e.node.Name != r.self {
			m.members = append(m.members, member)
		}
	}
	for d := range r.kinds {
		if !needed[d] {
			delete(r.kinds, d)
		}
	}
	slices.SortFunc(m.members, func(a, b cluster.Member) int { return cmp.Compare(a.ID, b.ID) })
	return m
}

// rivals returns the nodes, each with the one that has taken its address or
// endpoint over, if any.
func (r *roster) rivals(nodes []*entry) iter.Seq2[*entry, *entry] {
	slices.SortFunc(nodes, func(a, b *entry) int {
		switch r.self {
		case a.node.Name:
			return -1
		case b.node.Name:
			return 1
		}
		return cmp.Or(cmp.Compare(b.card.Started, a.card.Started), cmp.Compare(b.node.Name, a.node.Name))
	})
	return func(yield func(*entry, *entry) bool) {
		addresses, endpoints := map[string]*entry{}, map[netip.AddrPort]*entry{}
		for _, e := range nodes {
			rival := cmp.Or(addresses[e.card.Address], endpoints[e.endpoint()])
			if rival == nil {
				addresses[e.card.Address], endpoints[e.endpoint()] = e, e
			}
			if !yield(e, rival) {
				return
			}
		}
	}
}

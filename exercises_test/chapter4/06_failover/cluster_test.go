package failover_test

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/protocluster/workshop/exercises_test/internal/sim"
	"github.com/protocluster/workshop/exercises_test/internal/story"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

const (
	term     = 2 * time.Second        // of a lease
	beat     = term / 8               // a member asks the registry for the next one
	patience = 600 * time.Millisecond // of the registry, with a member that it does not hear of
	tick     = 100 * time.Millisecond // the registry looks for such members
	begun    = term + beat            // by then a new cluster serves
)

// world is a cluster of three processes, a registry that says who is a member
// and gives leases, a database, and clients that make deposits.
type world struct {
	*sim.Sim
	s        *story.Story
	registry *registry
	nodes    []*node // all that there ever were
	client   *sim.Process
	accounts []*account
	database map[cluster.Identity][]int // the numbers of the deposits
}

// account is an identity, and what its client knows of it.
type account struct {
	id     cluster.Identity
	choice *rand.Rand
	last   int // the number of its newest deposit
	acked  []ack
}

type ack struct {
	deposit int
	at      time.Duration
}

// newWorld returns a cluster of n1, n2 and n3 that has just begun.
func newWorld(s *story.Story, r *rand.Rand, accounts int) *world {
	w := &world{Sim: sim.New(r), s: s, database: make(map[cluster.Identity][]int)}
	w.client = w.Process("client")
	w.registry = newRegistry(w)
	for i, name := range []string{"n1", "n2", "n3"} {
		n := w.begin(w.Process(name), 1)
		n.proc.After(time.Duration(i+1)*time.Millisecond, n.beats)
	}
	for i := range accounts {
		a := &account{id: cluster.Identity{Kind: "user", Identity: fmt.Sprint(i + 1)}, choice: rand.New(rand.NewPCG(r.Uint64(), uint64(i)))}
		w.accounts = append(w.accounts, a)
		w.client.After(time.Duration(i+1)*17*time.Millisecond, func() { w.deposit(a) })
	}
	return w
}

// now returns the newest node of a process.
func (w *world) now(name string) *node {
	for _, n := range slices.Backward(w.nodes) {
		if n.proc.Name == name {
			return n
		}
	}
	return nil
}

// node returns the node with that ID.
func (w *world) node(id string) *node {
	return w.nodes[slices.IndexFunc(w.nodes, func(n *node) bool { return n.id == id })]
}

// host returns the node on which an account is active, or nil.
func (w *world) host(a *account) *node {
	for _, n := range w.nodes {
		if n.active[a.id] != nil && n.proc.Running() {
			return n
		}
	}
	return nil
}

func (w *world) pause(name string, lasting time.Duration) {
	n := w.now(name)
	w.s.Note(name, "paused")
	n.proc.Pause()
	w.At(w.Since()+lasting, func() {
		w.s.Note(name, "wakes")
		n.proc.Resume()
	})
}

// kill ends a process; another begins after a while.
func (w *world) kill(name string, away time.Duration) {
	n := w.now(name)
	w.s.Note(name, "killed")
	n.proc.Kill()
	w.At(w.Since()+away, func() {
		w.s.Note(name, "starts again")
		w.begin(w.Process(name), n.life+1).beats()
	})
}

// cut cuts a process off from others.
func (w *world) cut(name string, lasting time.Duration, from ...string) {
	w.s.Note(name, "cut off from %s", strings.Join(from, " "))
	for _, other := range from {
		w.Cut(name, other)
	}
	w.At(w.Since()+lasting, func() {
		w.s.Note(name, "no longer cut off")
		for _, other := range from {
			w.Heal(name, other)
		}
	})
}

// nemesis plans faults for two of the three, which may overlap; they are over
// within the time that is returned.
func (w *world) nemesis(r *rand.Rand) (over time.Duration) {
	const longest = 3 * time.Second
	names := []string{"n1", "n2", "n3"}
	for _, i := range r.Perm(len(names))[:2] {
		name, at := names[i], begun+time.Duration(r.Int64N(int64(2*time.Second)))
		lasting := 200*time.Millisecond + time.Duration(r.Int64N(int64(longest-200*time.Millisecond)))
		others := slices.Delete(slices.Clone(names), i, i+1)
		over = max(over, at+lasting)
		switch r.IntN(5) {
		case 0:
			w.At(at, func() { w.kill(name, lasting) })
		case 1, 2:
			w.At(at, func() { w.pause(name, lasting) })
		case 3:
			w.At(at, func() { w.cut(name, lasting, "registry") })
		case 4:
			w.At(at, func() { w.cut(name, lasting, append(others, "registry")...) })
		}
	}
	return over
}

// registry says who is a member. It goes by who asks in time, so it may be
// wrong about who is not.
type registry struct {
	w     *world
	proc  *sim.Process
	view  *cluster.View
	heard map[string]time.Time // by ID: when a member last asked
}

func newRegistry(w *world) *registry {
	r := &registry{w: w, proc: w.Process("registry"), view: &cluster.View{}, heard: make(map[string]time.Time)}
	r.proc.After(tick, r.look)
	return r
}

// join makes n a member.
func (r *registry) join(n *node) {
	r.heard[n.id] = time.Now()
	r.change(append(slices.Clone(r.view.Members), n.self()))
}

// look removes who has not asked for long.
func (r *registry) look() {
	r.proc.After(tick, r.look)
	stay := slices.DeleteFunc(slices.Clone(r.view.Members), func(m cluster.Member) bool { return time.Since(r.heard[m.ID]) > patience })
	if len(stay) < len(r.view.Members) {
		r.change(stay)
	}
}

// change makes the next view, and has the members ask for it.
func (r *registry) change(members []cluster.Member) {
	slices.SortFunc(members, func(a, b cluster.Member) int { return strings.Compare(a.ID, b.ID) })
	r.view = &cluster.View{Epoch: r.view.Epoch + 1, Members: members}
	for _, m := range members {
		n := r.w.node(m.ID)
		r.proc.Send(n.proc, n.ask)
	}
}

// asked answers a member: the view is also a lease for whoever is in it.
func (r *registry) asked(id string) *cluster.View {
	if _, member := r.view.Member(id); member {
		r.heard[id] = time.Now()
	}
	return r.view
}

// owner is a rendezvous of hashes, as in 4.3.
func owner(id cluster.Identity, members []cluster.Member) (best cluster.Member, err error) {
	var most uint64
	for _, m := range members {
		h := fnv.New64a()
		fmt.Fprint(h, m.ID, " ", id)
		score := h.Sum64() * 0x9e3779b97f4a7c15
		score ^= score >> 32
		if score *= 0x9e3779b97f4a7c15; m.Status == cluster.Up && score > most {
			best, most = m, score
		}
	}
	if best.ID == "" {
		return best, &cluster.NoHostError{ID: id, Members: members}
	}
	return best, nil
}

package minority_test

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	minority "github.com/protocluster/workshop/chapters/chapter4/09_minority"
	"github.com/protocluster/workshop/exercises_test/internal/sim"
	"github.com/protocluster/workshop/exercises_test/internal/story"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

const (
	beat    = term / 4                // a member asks all others so often
	settled = term + 3*beat           // if all hear each other for so long, all is served
	hasty   = 400 * time.Millisecond  // a member believes at the earliest then that one it does not hear of has vanished,
	patient = 1200 * time.Millisecond // and at the latest then
)

// world is a cluster without a registry: each member makes its own view of those
// that it hears of, and hosts what that gives to it, while it has a lease.
type world struct {
	*sim.Sim
	s     *story.Story
	nodes []*node // n1, n2 and so on
	ids   []cluster.Identity
	acts  map[cluster.Identity][]time.Duration // when each of them was active

	twice   string // what was active on two members
	bridged bool   // that is no failure
}

// node is one member: the code around a minority.Quorum.
type node struct {
	w        *world
	proc     *sim.Process
	id       string
	quorum   *minority.Quorum
	patience time.Duration
	view     *cluster.View
	changed  time.Time            // when the view did
	heard    map[string]time.Time // by ID
	active   map[cluster.Identity]bool
	moving   map[cluster.Identity]bool // they are about to start
	quiet    bool                      // it had no lease when it last looked
}

func newWorld(s *story.Story, r *rand.Rand, members int) *world {
	w := &world{Sim: sim.New(r), s: s, acts: make(map[cluster.Identity][]time.Duration)}
	for i := range 4 {
		w.ids = append(w.ids, cluster.Identity{Kind: "user", Identity: fmt.Sprint(i + 1)})
	}
	var names []string
	for i := range members {
		names = append(names, fmt.Sprint("n", i+1))
	}
	for i, id := range names {
		n := &node{
			w: w, proc: w.Process(id), id: id, quorum: minority.New(id, term), changed: time.Now(), quiet: true,
			patience: hasty + time.Duration(r.Int64N(int64(patient-hasty))), view: view(1, strings.Join(names, ", ")),
			heard: make(map[string]time.Time), active: make(map[cluster.Identity]bool), moving: make(map[cluster.Identity]bool),
		}
		for _, other := range names {
			n.heard[other] = time.Now()
		}
		n.quorum.Change(time.Now(), n.view)
		w.nodes = append(w.nodes, n)
		n.proc.After(time.Duration(i+1)*7*time.Millisecond, n.beats)
	}
	return w
}

// beats is what a member does again and again.
func (n *node) beats() {
	n.proc.After(beat, n.beats)
	n.look()
	n.lapse()
	for _, o := range n.w.nodes {
		if o != n {
			n.ask(o)
		}
	}
	for _, id := range n.w.ids {
		switch {
		case n.active[id]:
			n.w.alone(n, id)
			n.w.acts[id] = append(n.w.acts[id], n.w.Since())
		case n.mayStart(id):
			n.start(id)
		}
	}
}

// look drops from the view whom n has not heard of for long.
func (n *node) look() {
	up := slices.DeleteFunc(slices.Clone(n.view.Members), func(m cluster.Member) bool {
		return m.ID != n.id && time.Since(n.heard[m.ID]) > n.patience
	})
	if len(up) < len(n.view.Members) {
		n.install(up)
	}
}

// hears notes that somebody is there, who comes back into the view if he was not
// in it.
func (n *node) hears(o *node) {
	n.heard[o.id] = time.Now()
	if m, ok := o.view.Member(o.id); ok {
		if _, known := n.view.Member(o.id); !known {
			n.install(append(slices.Clone(n.view.Members), m))
		}
	}
}

// install goes by a new view from now on.
func (n *node) install(members []cluster.Member) {
	slices.SortFunc(members, func(a, b cluster.Member) int { return strings.Compare(a.ID, b.ID) })
	n.view = &cluster.View{Epoch: n.view.Epoch + 1, Members: members}
	n.changed = time.Now()
	names := make([]string, len(members))
	for i, m := range members {
		names[i] = m.ID
	}
	n.w.s.Note(n.id, "sees %s", strings.Join(names, " "))
	n.quorum.Change(time.Now(), n.view)
	for _, id := range n.w.ids {
		if !n.owns(id) {
			n.stop(id)
		}
	}
}

// ask asks another member for its vote. Whoever is asked answers.
func (n *node) ask(o *node) {
	sent := time.Now()
	n.proc.Send(o.proc, func() {
		o.hears(n)
		o.proc.Send(n.proc, func() {
			n.hears(o)
			n.w.s.Need(n.quorum.Granted(o.id, sent), story.Failure{
				Happened: fmt.Sprintf("Granted on %s refused the answer of %s, which is up in its view.", n.id, o.id),
				Lesson:   "Every elector has a vote, and so has everybody who is about to become one.", Read: "electors",
			})
		})
	})
}

// leased reports whether n has a lease.
func (n *node) leased() bool { return time.Now().Before(n.quorum.Until(time.Now())) }

// lapse stops everything if the lease is over.
func (n *node) lapse() {
	if quiet := !n.leased(); quiet != n.quiet {
		n.quiet = quiet
		n.w.s.Note(n.id, "%s", map[bool]string{true: "has no lease any more", false: "has a lease"}[quiet])
	}
	if n.quiet {
		clear(n.active)
	}
}

func (n *node) stop(id cluster.Identity) {
	if n.active[id] {
		n.w.s.Note(n.id, "stops %s", id)
		delete(n.active, id)
	}
}

// owns reports whether the view gives id to n, by a rendezvous of hashes.
func (n *node) owns(id cluster.Identity) bool {
	var most uint64
	best := ""
	for _, m := range n.view.Members {
		h := fnv.New64a()
		fmt.Fprint(h, m.ID, " ", id)
		score := h.Sum64() * 0x9e3779b97f4a7c15
		if score ^= score >> 32; score > most {
			best, most = m.ID, score
		}
	}
	return best == n.id
}

// mayStart reports whether n may start id as far as it knows. A term after the
// view has changed, the leases of those that vanished are over.
func (n *node) mayStart(id cluster.Identity) bool {
	return n.owns(id) && !n.active[id] && n.leased() && time.Since(n.changed) >= term
}

// start activates id once all others in the view have let go of it.
func (n *node) start(id cluster.Identity) {
	if n.moving[id] {
		return
	}
	n.moving[id] = true
	n.proc.After(beat/2, func() { delete(n.moving, id) }) // if somebody does not answer
	epoch, waits := n.view.Epoch, len(n.view.Members)
	one := func() {
		if waits--; waits == 0 && n.view.Epoch == epoch && n.mayStart(id) {
			n.w.s.Note(n.id, "starts %s", id)
			n.w.alone(n, id)
			n.active[id] = true
			n.w.acts[id] = append(n.w.acts[id], n.w.Since())
		}
	}
	for _, m := range n.view.Members {
		o := n.w.node(m.ID)
		n.proc.Send(o.proc, func() {
			if o != n {
				o.hears(n)
				o.stop(id)
			}
			o.proc.Send(n.proc, one)
		})
	}
}

func (w *world) node(id string) *node {
	return w.nodes[slices.IndexFunc(w.nodes, func(n *node) bool { return n.id == id })]
}

// gap returns the longest time in which id was not active, in a part of the run.
func (w *world) gap(id cluster.Identity, from, to time.Duration) (longest time.Duration) {
	last := from
	for _, at := range w.acts[id] {
		if at > from && at < to {
			longest, last = max(longest, at-last), at
		}
	}
	return max(longest, to-last)
}

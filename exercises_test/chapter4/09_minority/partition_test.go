package minority_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/protocluster/workshop/exercises_test/internal/story"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// split is a partition of a world into two sides.
type split struct {
	w     *world
	sides [2][]*node
	from  time.Duration
}

// cut parts the members that are alive, at random; each side has one at least.
func (w *world) cut(r *rand.Rand) *split {
	alive := slices.DeleteFunc(slices.Clone(w.nodes), func(n *node) bool { return n.proc.Killed() })
	r.Shuffle(len(alive), func(i, j int) { alive[i], alive[j] = alive[j], alive[i] })
	k := 1 + r.IntN(len(alive)-1)
	p := &split{w: w, sides: [2][]*node{alive[:k], alive[k:]}, from: w.Since()}
	for _, a := range p.sides[0] {
		for _, b := range p.sides[1] {
			w.Cut(a.id, b.id)
		}
	}
	w.s.Note("", "cut: %s", p)
	return p
}

func (p *split) heal() {
	for _, a := range p.sides[0] {
		for _, b := range p.sides[1] {
			p.w.Heal(a.id, b.id)
		}
	}
	p.w.s.Note("", "healed")
}

func (p *split) String() string { return names(p.sides[0]) + " | " + names(p.sides[1]) }

func names(nodes []*node) string {
	ids := make([]string, len(nodes))
	for i, n := range nodes {
		ids[i] = n.id
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

// majority returns the side that has more than half, or nil.
func (p *split) majority() []*node {
	switch a, b := p.sides[0], p.sides[1]; {
	case len(a) > len(b):
		return a
	case len(b) > len(a):
		return b
	}
	return nil
}

// watch fails at the first instant until the end at which the majority has no
// lease, or somebody else has one although a term has passed.
func (p *split) watch(end time.Duration) {
	strong := p.majority()
	for p.w.Since() < end {
		p.w.Run(min(end, p.w.Since()+beat/5))
		lasted := p.w.Since() - p.from
		for _, n := range slices.Concat(p.sides[0], p.sides[1]) {
			switch leased := n.leased(); {
			case slices.Contains(strong, n) && !leased:
				p.w.s.Fatal(story.Failure{
					Misconception: "stops-on-one-missed-beat",
					Happened:      fmt.Sprintf("For %v the cluster is cut into %s. %s is on the larger side, and has no lease.", lasted, p, n.id),
					Got:           fmt.Sprint("a lease until ", p.w.until(n)), Want: "a lease that goes on",
					Lesson: "The larger side has a majority of all, and goes on without the others.", Read: "the-lease",
				})
			case !slices.Contains(strong, n) && leased && lasted > term:
				p.w.s.Fatal(story.Failure{
					Misconception: "majority-of-the-visible",
					Happened:      fmt.Sprintf("For %v the cluster is cut into %s. %s is not on a larger side, and still has a lease.", lasted, p, n.id),
					Got:           fmt.Sprint("a lease until ", p.w.until(n)), Want: "none, a term after the cut",
					Lesson: "It cannot know whether the others are dead or only cut off. If it goes on, so may they.", Read: "electors",
				})
			}
		}
	}
}

// until is when the lease of n is over, as the time since the run began.
func (w *world) until(n *node) time.Duration {
	return max(0, w.Since()+time.Until(n.quorum.Until(time.Now()))).Round(time.Millisecond)
}

// alone is the referee: it fails if id is active on n, and on another member that
// has a lease.
func (w *world) alone(n *node, id cluster.Identity) {
	for _, o := range w.nodes {
		if o != n && o.active[id] && o.leased() && !o.proc.Killed() {
			w.twice = fmt.Sprintf("%s was active on %s and on %s at the same time.", id, o.id, n.id)
		}
		if w.twice != "" && !w.bridged {
			w.s.Fatal(story.Failure{
				Misconception: "majority-of-the-visible", Happened: w.twice,
				Got: fmt.Sprintf("leases until %v and %v", w.until(o), w.until(n)), Want: "a lease on one side only",
				Lesson: "Two majorities of the same electors have somebody in common. Two sides that have nobody in common cannot both have one.", Read: "electors",
			})
		}
	}
}

// whole fails unless, after some time, all identities are active and all members
// have a lease.
func (w *world) whole(after time.Duration, misconception, happened string) {
	w.Run(w.Since() + after)
	for _, n := range w.nodes {
		if !n.proc.Killed() && !n.leased() {
			w.s.Fatal(story.Failure{
				Misconception: misconception, Happened: fmt.Sprintf("%s %s has no lease.", happened, n.id),
				Got: fmt.Sprint("a lease until ", w.until(n)), Want: "a lease again",
				Lesson: "All members that are alive hear each other. What was before does not matter.", Read: "healing",
			})
		}
	}
	from := w.Since() - beat*2
	for _, id := range w.ids {
		if w.gap(id, from, w.Since()) > beat+beat/2 {
			w.s.Fatal(story.Failure{
				Misconception: misconception, Happened: fmt.Sprintf("%s %s is active nowhere.", happened, id),
				Lesson: "Its owner has a lease, and nobody else has it.", Read: "healing",
			})
		}
	}
}

// begin runs until the new cluster serves everything.
func (w *world) begin() {
	w.s.Need(w.nodes[0].quorum.Granted("n1", time.Now()), story.Failure{Happened: "n1 has no vote of its own.", Read: "electors"})
	w.whole(settled, "", fmt.Sprintf("%d members have begun, and hear each other.", len(w.nodes)))
}

func TestPartition_TheSmallerSideIsQuiet(t *testing.T) {
	story.Seeds(t, 30, "A term after a cut the smaller side has no lease any more, and the larger one has it all the time.",
		func(_ *testing.T, s *story.Story, r *rand.Rand) {
			w := newWorld(s, r, 3+r.IntN(3))
			w.begin()
			p := w.cut(r)
			p.watch(w.Since() + 3*term)
		})
}

func TestPartition_AShortSilenceIsNoCut(t *testing.T) {
	story.Seeds(t, 30, "Whoever is silent for less than a term stops nobody.",
		func(_ *testing.T, s *story.Story, r *rand.Rand) {
			w := newWorld(s, r, 3+r.IntN(3))
			w.begin()
			n := w.nodes[r.IntN(len(w.nodes))]
			s.Note(n.id, "paused")
			n.proc.Pause()
			p := &split{w: w, sides: [2][]*node{slices.DeleteFunc(slices.Clone(w.nodes), func(o *node) bool { return o == n })}, from: w.Since()}
			w.At(w.Since()+hasty-beat/2, func() { s.Note(n.id, "wakes"); n.proc.Resume() })
			p.watch(w.Since() + 2*term)
			for _, id := range w.ids {
				if gap := w.gap(id, p.from, w.Since()); gap > hasty+beat {
					s.Fatal(story.Failure{
						Misconception: "stops-on-one-missed-beat",
						Happened:      fmt.Sprintf("%s was silent for %v, and %s was active nowhere for %v.", n.id, hasty-beat/2, id, gap),
						Lesson:        "A lease bridges what is short. That is what its term is for.", Read: "the-lease",
					})
				}
			}
		})
}

func TestPartition_NeverBothSides(t *testing.T) {
	story.Seeds(t, 100, "Whatever is killed, paused or cut, an identity is active on one side only, and after that everywhere again.",
		func(_ *testing.T, s *story.Story, r *rand.Rand) {
			w := newWorld(s, r, 3+r.IntN(3))
			w.begin()
			if len(w.nodes) > 3 && r.IntN(2) == 0 {
				n := w.nodes[r.IntN(len(w.nodes))]
				s.Note(n.id, "killed")
				n.proc.Kill()
				w.whole(patient+settled, "the-first-electors-for-ever", n.id+" was killed.")
			}
			for range 1 + r.IntN(4)/3 {
				p := w.cut(r)
				if weak := p.sides[r.IntN(2)]; len(weak) == 1 {
					s.Note(weak[0].id, "paused")
					weak[0].proc.Pause()
				}
				p.watch(w.Since() + term + time.Duration(r.Int64N(int64(2*term))))
				p.heal()
				for _, n := range slices.Concat(p.sides[0], p.sides[1]) {
					if !n.proc.Running() {
						s.Note(n.id, "wakes")
						n.proc.Resume()
					}
				}
				w.whole(settled, "never-restarts", "The partition has healed.")
			}
		})
}

// What is not guaranteed: members on no side hear both.
func TestLedger_TheBridge(t *testing.T) {
	story.Seeds(t, 10, "If two members do not hear each other, and a third one hears both, both have a majority.",
		func(_ *testing.T, s *story.Story, r *rand.Rand) {
			w := newWorld(s, r, 3)
			w.begin()
			w.Cut("n1", "n3")
			s.Note("", "n1 and n3 do not hear each other, n2 hears both")
			w.bridged = true
			w.Run(w.Since() + patient + 2*term)
			if w.twice == "" {
				s.Fatal(story.Failure{
					Happened: fmt.Sprintf("n1 has a lease: %v; n3 has one: %v; and nothing was active on both.", w.nodes[0].leased(), w.nodes[2].leased()),
					Lesson:   "Two of three answer each of them, which is all that a Quorum asks.", Read: "what-this-does-not-guarantee",
				})
			}
			s.Note("", "%s", w.twice)
		})
}

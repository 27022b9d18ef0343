package failover_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/protocluster/workshop/exercises_test/internal/story"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// alone is the referee. It fails if n, where an account is active from now on,
// has no lease, or if the account is active on another member that would let it
// act, were it asked now.
func (w *world) alone(n *node, id cluster.Identity) {
	if !n.leased() {
		w.unleased(n, id)
	}
	for _, o := range w.nodes {
		if o == n || o.active[id] == nil {
			continue
		}
		// A process that was killed cannot be asked. Had it only been paused, it
		// would act as long as it had a lease.
		switch {
		case o.leased():
			w.early(n, o, id)
		case !o.proc.Killed() && o.acts():
			w.unleased(o, id)
		}
	}
}

// early tells the story of an account that is active on n although o may act.
func (w *world) early(n, o *node, id cluster.Identity) {
	until := w.since(o.lease.Until)
	w.s.Fatal(story.Failure{
		Misconception: "timeout-is-death",
		Happened:      fmt.Sprintf("%s was active on %s and on %s at the same time.", id, o.id, n.id),
		Got:           fmt.Sprintf("an activation on %s at %.3fs, %.3fs too early", n.id, w.Since().Seconds(), (until - w.Since()).Seconds()),
		Want:          fmt.Sprintf("none before %.3fs, when the lease of %s is over", until.Seconds(), o.id),
		Lesson:        "A member that nobody hears of may only be paused, or cut off. Its lease, not your timeout, says when it is safe.",
		Read:          "leases",
	})
}

// unleased tells the story of n, which acts for an account by a lease that is
// none.
func (w *world) unleased(n *node, id cluster.Identity) {
	f := story.Failure{
		Misconception: "same-epoch-is-enough",
		Happened:      fmt.Sprintf("%s would let %s act at %.3fs, and its lease was over at %.3fs.", n.id, id, w.Since().Seconds(), w.since(n.lease.Until).Seconds()),
		Lesson:        "Who was paused or cut off has heard of no newer epoch. Only the clock tells it that the world went on.",
		Read:          "leases",
	}
	if n.lease.Epoch != n.heard {
		f.Misconception = "time-is-enough"
		f.Happened = fmt.Sprintf("%s would let %s act by a lease for epoch %d, and has heard of epoch %d.", n.id, id, n.lease.Epoch, n.heard)
		f.Lesson = "By the newer view it has let go of what it does not own any more. An old lease must not bring that back."
	}
	w.s.Fatal(f)
}

// since is an instant as the time since the run began.
func (w *world) since(at time.Time) time.Duration { return time.Until(at) + w.Since() }

// kept fails unless all that was acknowledged is in the database.
func (w *world) kept() {
	if lost := w.lost(); lost != "" {
		w.s.Fatal(story.Failure{
			Misconception: "timeout-is-death", Happened: lost,
			Lesson: "Two activations have two memories. Whoever writes last takes back what the other has written.",
			Read:   "leases",
		})
	}
}

// lost names a deposit that was acknowledged and is not in the database.
func (w *world) lost() string {
	for _, a := range w.accounts {
		for _, k := range a.acked {
			if !slices.Contains(w.database[a.id], k.deposit) {
				return fmt.Sprintf("Deposit %d to %s was acknowledged at %.3fs and is not in the database.", k.deposit, a.id, k.at.Seconds())
			}
		}
	}
	return ""
}

package sealedview

import (
	"slices"
	"time"
)

// removal is one member's attempt to take another out of the view: it may write
// the next view once nobody can still hold the target's place.
type removal struct {
	target   string
	view     Stamp
	voters   []string
	over     map[string]time.Duration // by voter: when its promise to the target, which it has excluded, has run out
	shown    bool                     // the store has shown the view since the target was accused
	seconded bool                     // another member accuses the target as well
	since    time.Duration
}

func newRemoval(v *View, target string, now time.Duration) *removal {
	return &removal{target: target, view: v.Stamp, voters: v.Grantors(), over: make(map[string]time.Duration), since: now}
}

// answer takes note of what a grantor said when it was asked to exclude the
// target. What the target grants itself is its own affair.
func (r *removal) answer(p *Params, now time.Duration, from string, a Excluded) {
	if from == r.target || a.View != r.view || !a.Excluded {
		return
	}
	end := now + p.Outlast(a.Remaining)
	if last, ok := r.over[from]; !ok || end < last {
		r.over[from] = end
	}
}

// stored takes note of since when the store, as a grantor, is known to exclude
// the target, if it does. Reads before then may have granted it a lease.
func (r *removal) stored(p *Params, since time.Duration, excluded bool) {
	if !excluded {
		delete(r.over, StoreGrantor)
		return
	}
	r.answer(p, since, StoreGrantor, Excluded{View: r.view, Excluded: true, Remaining: p.Lease})
}

// times are when the promises of those voters that exclude the target have run
// out, the first one first.
func (r *removal) times() []time.Duration {
	times := make([]time.Duration, 0, len(r.voters))
	for _, v := range r.voters {
		if t, ok := r.over[v]; ok {
			times = append(times, t)
		}
	}
	slices.Sort(times)
	return times
}

// settled reports whether a majority of voters excludes the target: it cannot
// get a lease in this view any more.
func (r *removal) settled() bool { return len(r.times()) >= Quorum(len(r.voters)) }

// due is when the target may be taken out, if nobody takes anything back, or
// maxTime if that cannot be told yet. Its leases of this view have run out when
// the promises of a majority have (R1); those of views before, when this one has
// been sealed for the time of a lease (R2 and R3).
func (r *removal) due(p *Params, sealed time.Duration) time.Duration {
	times := r.times()
	q := Quorum(len(r.voters))
	if len(times) < q || sealed == maxTime {
		return maxTime
	}
	due := sealed
	if p.keeps(oldLeases) {
		due += p.Outlast(p.Lease)
	}
	if p.keeps(leaseWait) {
		due = max(due, times[q-1])
	}
	return due
}

package sealedview

import "time"

// Grantor is a voter of leases. It promises a member that for Params.Lease it
// will not help to remove it. Nothing of it is durable: a process that starts
// again is another grantor. The zero value has installed no view.
type Grantor struct {
	view     Stamp
	excluded map[string]bool          // in the view: gets no grant any more
	until    map[string]time.Duration // promises, over all views; they never shrink
}

// Install moves the grantor to a newer view. Exclusions end with their view,
// promises do not.
func (g *Grantor) Install(p *Params, view Stamp) {
	if view.Epoch <= g.view.Epoch {
		return
	}
	g.view, g.excluded = view, nil
	if !p.keeps(keptPromises) {
		g.until = nil
	}
}

// Grant promises member its lease, in the installed view only, unless it is
// excluded.
func (g *Grantor) Grant(p *Params, now time.Duration, view Stamp, member string) bool {
	switch {
	case g.view.Epoch == 0,
		view != g.view && p.keeps(sameView),
		g.excluded[member] && p.keeps(exclusion):
		return false
	}
	if g.until == nil {
		g.until = make(map[string]time.Duration)
	}
	g.until[member] = max(g.until[member], now+p.Lease)
	return true
}

// Exclude ends the grants to member in the view, if that is installed. There is
// no way back but another view: whoever asked may rely on it at any time.
func (g *Grantor) Exclude(view Stamp, member string) {
	if view != g.view {
		return
	}
	if g.excluded == nil {
		g.excluded = make(map[string]bool)
	}
	g.excluded[member] = true
}

// Excludes reports whether member is excluded in the installed view.
func (g *Grantor) Excludes(member string) bool { return g.excluded[member] }

// Remaining is for how long the promises made to member still hold.
func (g *Grantor) Remaining(now time.Duration, member string) time.Duration {
	return max(0, g.until[member]-now)
}

// Forget drops promises that have run out.
func (g *Grantor) Forget(now time.Duration) {
	for member, until := range g.until {
		if until <= now {
			delete(g.until, member)
		}
	}
}

package sealedview

import "time"

// Protections are the rules that a test can switch off, by name.
func Protections() map[string]func(*Params) {
	off := func(rule protection) func(*Params) { return func(p *Params) { p.without |= rule } }
	return map[string]func(*Params){
		"lease wait":     off(leaseWait),
		"exclusion":      off(exclusion),
		"same view":      off(sameView),
		"majority":       off(majority),
		"lease check":    off(leaseCheck),
		"barriers":       off(barriers),
		"all barriers":   off(allBarriers),
		"old leases":     off(oldLeases),
		"sealing":        off(sealing),
		"override wait":  off(overrideWait),
		"freshness":      off(freshness),
		"override hides": off(overrideHides),
		"no forks":       off(noForks),
		"settling":       off(settling),
		"from sending":   off(fromSending),
		"kept promises":  off(keptPromises),
		"leased restore": off(leasedRestore),
		"same intent":    off(sameIntent),
	}
}

// The rules by themselves, for the test that leads them and the model along the
// same events.

// NewLease returns the lease of a view that was just installed.
func NewLease(v *View) *Lease {
	l := newLease(v)
	return &l
}

// NewGate returns a gate that knows of no view.
func NewGate(self string, p *Params) *Gate { return newGate(self, p) }

// Install has the gate go by a view.
func (g *Gate) Install(v *View) { g.install(v) }

// Next returns the view after v.
func (v *View) Next(members []Member, nonce string) *View { return v.next(members, nonce, 0) }

// Follows reports whether a node that has installed u may go on to v.
func (v *View) Follows(u *View) bool { return v.follows(u) }

// Due is when a member may be taken out of v, by what grantors have answered at
// now and since when the view is sealed; by the store, if stored is not negative,
// as the time since when that excludes the member.
func Due(p *Params, v *View, target string, now time.Duration, answers map[string]Excluded, stored, sealed time.Duration) time.Duration {
	r := newRemoval(v, target, now)
	for from, a := range answers {
		r.answer(p, now, from, a)
	}
	if stored >= 0 {
		r.stored(p, stored, true)
	}
	return r.due(p, sealed)
}

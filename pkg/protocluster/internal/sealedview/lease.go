package sealedview

import (
	"slices"
	"time"
)

// Lease is a member's right to serve in one view: fresh grants of a majority of
// the view's grantors, fresh evidence that the store still shows the view, and
// that the view is sealed: so many grantors of the view before have left it that
// nobody else can get a lease there, nor in another view made of it.
type Lease struct {
	voters   []string
	sent     []time.Duration // by voter: when the newest granted request was sent
	evidence time.Duration   // the store showed the view, with no override, at this instant or later
	sealed   time.Duration   // since then it is known that the view is sealed, or maxTime
	floor    time.Duration   // evidence older than this does not count, unless somebody vouches for it
	vouched  time.Duration   // another member had a lease at this instant or later
	doubt    time.Duration   // the store showed something else at an instant after this, or maxTime
}

// newLease returns the lease of a view that was just installed: not valid yet.
// Grants do not outlive their view.
func newLease(v *View) Lease {
	l := Lease{voters: v.Grantors(), evidence: never, floor: never, vouched: never, sealed: maxTime, doubt: maxTime}
	l.sent = make([]time.Duration, len(l.voters))
	for i := range l.sent {
		l.sent[i] = never
	}
	return l
}

// Grant takes note of a grant to a request that was sent at sent.
func (l *Lease) Grant(voter string, sent time.Duration) {
	if i := slices.Index(l.voters, voter); i >= 0 {
		l.sent[i] = max(l.sent[i], sent)
	}
}

// Evidence takes note that the store showed the view at an instant.
func (l *Lease) Evidence(at time.Duration) { l.evidence = max(l.evidence, at) }

// Renounce has evidence count only if it is younger than an instant. A member
// that was without a lease for long may have slept while the store lost the view
// and others began without it.
func (l *Lease) Renounce(before time.Duration) { l.floor = max(l.floor, before) }

// Vouch takes note that another member had a lease in the view when it answered
// what was asked at an instant: up to then nobody had begun without it, and its
// evidence is as good for this member as for itself. So whoever was away while the
// store is out of reach need not wait for it.
func (l *Lease) Vouch(at time.Duration) { l.vouched = max(l.vouched, at) }

// Seal takes note that the view is sealed.
func (l *Lease) Seal(now time.Duration) { l.sealed = min(l.sealed, now) }

// Sealed reports whether the view is known to be sealed.
func (l *Lease) Sealed() bool { return l.sealed != maxTime }

// Doubt takes note that the store, when asked at sent, did not show the view. If
// it has lost the view, others may begin without it after Params.Settle. Only
// the view itself dispels that, seen again or written back.
func (l *Lease) Doubt(sent time.Duration) { l.doubt = min(l.doubt, sent) }

// Voted is the instant at which the grants end: the q-th newest is the one that
// completes the majority.
func (l *Lease) Voted(p *Params) time.Duration {
	q := Quorum(len(l.voters))
	if !p.keeps(majority) && q > 1 {
		q--
	}
	if q > len(l.sent) {
		return never
	}
	var times [councilSize + 1]time.Duration
	n := copy(times[:], l.sent)
	slices.Sort(times[:n])
	return times[n-q] + p.Term()
}

// Until is the instant at which the lease ends unless it is renewed.
func (l *Lease) Until(p *Params) time.Duration {
	until := l.Voted(p)
	if !l.Sealed() && p.keeps(sealing) {
		return never
	}
	if p.keeps(settling) {
		if max(l.evidence, l.vouched) < l.floor {
			return never
		}
		until = min(until, l.doubt+p.Term())
	}
	if p.keeps(freshness) {
		until = min(until, l.evidence+p.Fresh())
	}
	return until
}

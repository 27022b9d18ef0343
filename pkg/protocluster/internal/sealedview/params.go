package sealedview

import (
	"errors"
	"fmt"
	"time"
)

// Params are the times of the protocol. All nodes of a cluster have the same.
type Params struct {
	// Lease is how long a grantor promises to let nobody else take a
	// member's place, L.
	Lease time.Duration
	// Renew is how often a member asks for its lease again, H. At most a
	// third of Term, so that two lost rounds do no harm.
	Renew time.Duration
	// Drift bounds by how much the rate of any clock differs from real time,
	// rho, in parts of one.
	Drift float64
	// Margin is what a member takes off its lease for the time between a
	// check and what follows it, m.
	Margin time.Duration
	// Suspect is how long a member may be silent before it is accused. One that
	// was paused for up to Suspect less Renew loses nothing. A lease is the
	// most: more than Renew below that, and a removal waits for the lease anyway.
	Suspect time.Duration
	// Store is how long a member serves without evidence that the store
	// still shows its view. The evidence at hand is up to a fifteenth older
	// than an outage, and what was lost in that takes Consul seconds to elect
	// a leader after it: so 75 s bear an outage of a minute.
	Store time.Duration
	// Settle is how long a member has to watch the store without a break
	// before it relies on the store's word alone. It gives those who are told
	// otherwise by a store that lost its record the time to put it back.
	Settle time.Duration
	// Batch is how long joins are gathered for one change of the view.
	Batch time.Duration

	without protection
}

// Defaults are the times that the protocol was designed with.
func Defaults() Params {
	return Params{
		Lease:   time.Second,
		Renew:   250 * time.Millisecond,
		Drift:   0.01,
		Margin:  20 * time.Millisecond,
		Suspect: 900 * time.Millisecond,
		Store:   75 * time.Second,
		Settle:  time.Second,
		Batch:   75 * time.Millisecond,
	}
}

// Check says what is wrong with the times, all at once. A Node does not check
// them again.
func (p Params) Check() error {
	var faults []error
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf("sealedview: "+format, args...))
		}
	}
	fault(p.Drift < 0 || p.Drift > 0.1, "a drift of %v is not between 0 and 0.1", p.Drift)
	fault(p.Margin < 0 || p.Batch < 0, "the margin or the batch is negative")
	fault(p.Renew < time.Millisecond, "leases renewed every %v; at least 1ms is needed", p.Renew)
	fault(3*p.Renew > p.Term(), "leases that end after %v are renewed every %v; at most a third of that is safe against two lost rounds",
		p.Term(), p.Renew)
	fault(p.Suspect < 2*p.Renew || p.Suspect > p.Lease,
		"a member suspected after %v of silence; between two renewals (%v) and a lease (%v) makes sense", p.Suspect, 2*p.Renew, p.Lease)
	fault(p.Settle < p.Lease, "a member settled after %v; a lease (%v) is the least", p.Settle, p.Lease)
	fault(p.Store < 2*p.Lease, "a store that may be out of reach for %v; two leases (%v) are the least", p.Store, 2*p.Lease)
	return errors.Join(faults...)
}

// Term is how long a grant lasts for the member that asked for it, counted
// from when it asked: L(1-rho)/(1+rho) - m.
func (p *Params) Term() time.Duration {
	return time.Duration(float64(p.Lease)*(1-p.Drift)/(1+p.Drift)) - p.Margin
}

// Outlast is how long to wait, on any clock, to be sure that d has passed on
// every other: d(1+rho)/(1-rho), rounded up.
func (p *Params) Outlast(d time.Duration) time.Duration {
	return time.Duration(float64(d)*(1+p.Drift)/(1-p.Drift)) + 1
}

// Fresh is how long evidence that the store shows a view lets a member serve:
// T_store(1-2rho).
func (p *Params) Fresh() time.Duration {
	return time.Duration(float64(p.Store) * (1 - 2*p.Drift))
}

// Stale is how long an override waits so that no member is Fresh any more:
// T_store(1+2rho).
func (p *Params) Stale() time.Duration {
	return time.Duration(float64(p.Store)*(1+2*p.Drift)) + 1
}

// refresh is how old the evidence of the store may get before a member of that
// rank reads the store for all. Those behind it leave it the time to tell them.
func (p *Params) refresh(rank int) time.Duration {
	return p.Store/15 + time.Duration(min(rank, councilSize))*3*p.Renew
}

// doubt is how long a node that was late takes its own lateness for that of
// others: in that time each of them asks for its lease once, and once more.
func (p *Params) doubt() time.Duration { return 2 * p.Renew }

// patience is how long a member without a lease hopes for it to come back by
// itself.
func (p *Params) patience() time.Duration { return 5 * p.Outlast(p.Lease) }

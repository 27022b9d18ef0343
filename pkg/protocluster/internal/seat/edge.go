package seat

import "time"

// edge tells a host when its lease begins and ends.
type edge struct {
	leased bool          // as far as the host knows
	fresh  bool          // there was no lease in this view yet
	grace  time.Duration // until then that does not count as the end of the lease before
}

// renewed takes note of a new view. The lease before it would have held until
// then.
func (e *edge) renewed(until time.Duration) {
	if !e.fresh {
		e.grace = until
	}
	e.fresh = true
}

// slept takes note that the machine has slept: whatever lease there was has ended.
func (e *edge) slept(now time.Duration) { e.grace = min(e.grace, now) }

// pass compares what the host knows with the lease, which ends at until, tells it,
// and reports whether there was anything to tell. Gap says that the lease which
// the host knows of had ended before this one was there.
func (e *edge) pass(now, until time.Duration, gap bool, tell func(call)) bool {
	switch serves := now < until; {
	case serves && (e.fresh || !e.leased):
		*e = edge{leased: true}
		tell(call{what: regained})
	case serves && gap: // who asked in between waits for a word
		tell(call{what: lapsed})
		tell(call{what: regained})
	case !serves && e.leased && (!e.fresh || now >= e.grace):
		e.leased = false
		tell(call{what: lapsed})
	default:
		return false
	}
	return true
}

// next is when the host may have to be told that a lease which ends at until has
// ended.
func (e *edge) next(until time.Duration) time.Duration {
	switch {
	case !e.leased:
		return 1 << 61
	case e.fresh:
		return max(until, e.grace)
	}
	return until
}

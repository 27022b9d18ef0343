package dashboard

import (
	"cmp"
	"strings"
	"time"
)

// compare tells what is new in what a node said.
func (c *composer) compare(l *linked, s said, now time.Time) {
	before := l.before
	l.before = s
	if before.reply == nil || s.reply == nil {
		return
	}
	name := c.name(l.address)
	tell := func(weight, format string, args ...any) {
		e := event{At: now, Weight: weight, Member: l.address, Epoch: s.reply.GetEpoch()}
		c.timeline.add(e, "%s "+format, append([]any{name}, args...)...)
	}
	switch yes := l.self != nil || answers(s, now); {
	case !yes && l.silent.IsZero():
		l.silent = s.answered
		if _, in := c.view.At(l.address); in || s.reply.GetMember() != "" {
			tell(bad, "does not answer")
		}
	case yes && !l.silent.IsZero():
		tell(good, "answers again, after %.1f s", s.answered.Sub(l.silent).Seconds())
		l.silent = time.Time{}
	}
	if s.reply.GetSystem() != before.reply.GetSystem() {
		tell(plain, "was started anew")
		l.lapsed = false
		return
	}
	compareStats(l, before, s, tell)
}

// compareStats tells what a process has counted since it answered before.
func compareStats(l *linked, before, s said, tell func(weight, format string, args ...any)) {
	was, is := before.reply, s.reply
	if is.GetViolations() > was.GetViolations() {
		tell(worst, "found that an invariant does not hold; its log says which")
	}
	switch {
	case is.GetEvictions() > was.GetEvictions():
		l.lapsed = false
		tell(bad, "has learnt that the others went on without it: it drops what it hosted, and joins again")
	case is.GetLapses() > was.GetLapses():
		l.lapsed = true
		tell(bad, "had no lease for a while: messages to what it hosts waited")
	}
	if l.lapsed && is.GetLeased() {
		l.lapsed = false
		tell(good, "has a lease again")
	}
	switch out := is.GetStoreOut() > 0; {
	case out && was.GetStoreOut() == 0:
		tell(bad, "does not reach the view store")
	case !out && was.GetStoreOut() > 0:
		tell(good, "reaches the view store again")
	}
}

// compareNames sorts m2 before m10.
func compareNames(a, b string) int {
	x, y := strings.TrimRight(a, "0123456789"), strings.TrimRight(b, "0123456789")
	return cmp.Or(cmp.Compare(x, y), cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

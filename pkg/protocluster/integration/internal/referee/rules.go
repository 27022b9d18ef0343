package referee

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// prompt is how soon after its process goes on a straggler enters its handler:
// it has to get a processor, on a machine that is busy.
const prompt = 500 * time.Millisecond

// trial is a Ledger's judgement under way.
type trial struct {
	Verdict

	pauses  map[string][]Pause
	workers int
	excused map[Pause]int // how many stragglers
	known   map[straggler]bool
}

// straggler names an Entry.
type straggler struct {
	activation string
	number     uint64
}

func (t *trial) find(r Rule, identity string, at time.Duration, format string, args ...any) {
	t.Violations = append(t.Violations, Violation{Rule: r, Identity: identity, At: at, Text: fmt.Sprintf(format, args...)})
}

// identity judges the activations of one identity.
func (t *trial) identity(all lives) {
	var order []*life
	for _, a := range all {
		slices.SortFunc(a.entries, func(a, b Entry) int { return cmp.Compare(a.At, b.At) })
		t.alone(a)
	}
	for _, a := range all {
		if !t.stillborn(a, all) {
			order = append(order, a)
		}
	}
	slices.SortFunc(order, func(a, b *life) int {
		return cmp.Or(cmp.Compare(a.first().At, b.first().At), a.Token.Compare(b.Token))
	})
	for i, later := range order {
		for _, earlier := range order[:i] {
			t.pair(earlier, later)
		}
	}
}

// first is how the activation began, as far as is known.
func (a *life) first() Entry { return a.entries[0] }

// done is when the activation was done with an entry, as far as is known.
func (a *life) done(i int) time.Duration {
	return max(a.entries[i].At, a.exits[a.entries[i].Number])
}

// alone judges an activation by itself.
func (t *trial) alone(a *life) {
	t.Activations++
	t.Entries += len(a.entries)
	if a.other != nil {
		t.find(OneToken, a.Identity, a.first().At, "%v had %s, too", a.Activation, *a.other)
	}
	for i, e := range a.entries[1:] {
		before := a.entries[i]
		if e.Number <= before.Number {
			t.find(OneAtATime, a.Identity, e.At, "%v was given message %d after %d", a.Activation, e.Number, before.Number)
		}
		if exit, ok := a.exits[before.Number]; ok && exit > e.At {
			t.find(OneAtATime, a.Identity, e.At, "%v was given message %d before it was done with %d",
				a.Activation, e.Number, before.Number)
		}
	}
}

// pair judges two activations, the later of which began at its first entry.
func (t *trial) pair(earlier, later *life) {
	began := later.first().At
	fenced := earlier.Token != Token{} || later.Token != Token{}
	if fenced && earlier.Token.Compare(later.Token) >= 0 {
		t.find(TokenOrder, later.Identity, began, "%v began after %v", later.Activation, earlier.Activation)
	}
	i, _ := slices.BinarySearchFunc(earlier.entries, began, func(e Entry, at time.Duration) int { return cmp.Compare(e.At, at) })
	for ; i < len(earlier.entries); i++ {
		e := earlier.entries[i]
		if i > 0 && t.straggles(earlier.done(i-1), e, began) {
			continue
		}
		t.find(Overlap, e.Identity, e.At, "message %d of %v, %v after %v had begun",
			e.Number, earlier.Activation, e.At-began, later.Activation)
	}
	if r := earlier.latest; r != nil && r.Sent > began {
		t.find(StaleReply, r.Identity, r.Came, "%v after %v had begun, a request was made that %v answered",
			r.Sent-began, later.Activation, earlier.Activation)
	}
}

// stillborn reports whether all that an activation was ever given is that it was
// started, and that straggled behind the beginning of one with a higher token. It
// was over before it began.
func (t *trial) stillborn(a *life, all lives) bool {
	if len(a.entries) > 1 || a.latest != nil {
		return false
	}
	for _, later := range all {
		if a.Token.Compare(later.Token) < 0 && later.first().At <= a.first().At && t.straggles(0, a.first(), later.first().At) {
			return true
		}
	}
	return false
}

// straggles reports whether the check of the lease for e may have been made
// before a later activation began, although its handler began after that: if the
// process stood still meanwhile, and e was the next message of the activation,
// which was done with the one before already. No process has more of these than
// it has workers.
func (t *trial) straggles(before time.Duration, e Entry, began time.Duration) bool {
	name := straggler{e.Name, e.Number}
	if t.known[name] {
		return true
	}
	for _, p := range t.pauses[e.Process] {
		if before <= p.From && p.From <= began && p.To <= e.At && e.At <= p.To+prompt && t.excused[p] < t.workers {
			t.excused[p]++
			t.known[name] = true
			t.Stragglers = append(t.Stragglers, e)
			return true
		}
	}
	return false
}

package witness

import (
	"slices"
	"time"
)

// Tick is how long a cell lasts.
const Tick = 250 * time.Millisecond

// Report is what a client saw between two instants.
type Report struct {
	Since    time.Time         `json:"since"`
	Until    time.Time         `json:"until"`
	Users    int               `json:"users"`   // how many are asked
	Unheard  int               `json:"unheard"` // of them, how many do not answer at Until
	Epoch    uint64            `json:"epoch"`   // of the view at Until
	Members  []string          `json:"members"` // in that view
	Homes    map[string]string `json:"homes"`   // the member that answered last, by user
	Cells    []Cell            `json:"cells"`   // in order; one in which nothing happened is left out
	Outages  []Outage          `json:"outages"`
	Breaches []Breach          `json:"breaches"`
	Views    []View            `json:"views"`
}

// Cell is what happened in one Tick.
type Cell struct {
	At      time.Time       `json:"at"`                // its beginning
	Answers map[string]int  `json:"answers,omitempty"` // by member
	Begun   map[string]Wave `json:"begun,omitempty"`   // activations, by member
	Counts  Counts          `json:"counts,omitzero"`
	Unheard int             `json:"unheard,omitempty"` // the most users that were waited for in vain at a time
}

// Wave is how many activations began, and when the first and the last.
type Wave struct {
	N     int       `json:"n"`
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
}

// Counts are of requests and writes.
type Counts struct {
	Answered    int `json:"answered,omitempty"`
	NotExecuted int `json:"notExecuted,omitempty"`
	Unknown     int `json:"unknown,omitempty"`  // nobody knows whether they were executed
	Failed      int `json:"failed,omitempty"`   // the user answered with an error
	Recorded    int `json:"recorded,omitempty"` // writes that were acknowledged
	Refused     int `json:"refused,omitempty"`  // writes of the replaced, which the ledger did not take
}

func (c *Counts) add(d Counts) {
	c.Answered += d.Answered
	c.NotExecuted += d.NotExecuted
	c.Unknown += d.Unknown
	c.Failed += d.Failed
	c.Recorded += d.Recorded
	c.Refused += d.Refused
}

// Outage is a time in which a user did not answer: from the first request that
// failed, or took longer than Slow, until the next answer.
type Outage struct {
	User string    `json:"user"`
	From time.Time `json:"from"`
	To   time.Time `json:"to,omitzero"` // zero: it goes on
}

// View is a view of the cluster, when the client came to know it.
type View struct {
	At      time.Time `json:"at"`
	Epoch   uint64    `json:"epoch"`
	Members []string  `json:"members"`
}

// Kind is a promise that was broken.
type Kind string

// What a cluster that keeps at most one activation never does.
const (
	// Overlap: a user had two activations that acted at the same time.
	Overlap Kind = "two at once"
	// Stale: an answer came from an activation that had been replaced when it
	// was asked. If it has a token, that was older than one before.
	Stale Kind = "stale answer"
	// Lost: an answer did not know of a write that had been acknowledged when
	// it was asked.
	Lost Kind = "lost write"
)

// Breach is one time that a promise was broken.
type Breach struct {
	At     time.Time `json:"at"`
	Kind   Kind      `json:"kind"`
	User   string    `json:"user"`
	Member string    `json:"member"` // who should not have acted
	Text   string    `json:"text"`
}

// Total sums up all cells.
func (r *Report) Total() Counts {
	var sum Counts
	for _, c := range r.Cells {
		sum.add(c.Counts)
	}
	return sum
}

// Broken counts the breaches of a kind: of Overlap the users, of others each.
func (r *Report) Broken(kind Kind) int {
	n, users := 0, map[string]bool{}
	for _, b := range r.Breaches {
		if b.Kind == kind {
			n++
			users[b.User] = true
		}
	}
	if kind == Overlap {
		return len(users)
	}
	return n
}

// On counts the users that were last heard from each member.
func (r *Report) On() map[string]int {
	n := map[string]int{}
	for _, member := range r.Homes {
		n[member]++
	}
	return n
}

// Silence sums up outages: of how many users, and how long they were.
type Silence struct {
	Users   int
	Longest time.Duration
	Median  time.Duration
}

// Silence sums up the outages; zero if there are none.
func (r *Report) Silence() Silence {
	users := map[string]bool{}
	var each []time.Duration
	for _, o := range r.Outages {
		users[o.User] = true
		each = append(each, r.end(o).Sub(o.From))
	}
	if len(each) == 0 {
		return Silence{}
	}
	slices.Sort(each)
	return Silence{Users: len(users), Longest: each[len(each)-1], Median: each[len(each)/2]}
}

// end is when an outage ended; Until, if it goes on.
func (r *Report) end(o Outage) time.Time {
	if o.To.IsZero() {
		return r.Until
	}
	return o.To
}

// Gap is a time in which at least one user did not answer.
type Gap struct {
	From, To time.Time
	Users    int
	Open     bool // it goes on at Until, which is To
}

// Gaps are the times in which not all users answered, in order; those with less
// than a Tick between them count as one.
func (r *Report) Gaps() []Gap {
	outages := slices.SortedFunc(slices.Values(r.Outages), func(a, b Outage) int { return a.From.Compare(b.From) })
	var all []Gap
	for i := 0; i < len(outages); {
		g, users := Gap{From: outages[i].From, To: r.end(outages[i])}, map[string]bool{}
		for ; i < len(outages) && outages[i].From.Before(g.To.Add(Tick)); i++ {
			users[outages[i].User] = true
			if to := r.end(outages[i]); to.After(g.To) {
				g.To = to
			}
			g.Open = g.Open || outages[i].To.IsZero()
		}
		g.Users = len(users)
		all = append(all, g)
	}
	return all
}

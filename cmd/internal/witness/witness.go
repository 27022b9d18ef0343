// Package witness judges a cluster from outside: by what a client asked and was
// answered, and by what activations told the ledger that they write to. Both see
// the same clock, that of the witness.
//
// An activation begins when it has read its state from the ledger. It is replaced
// when another of the same user begins. From then on it may finish what it was
// asked before, and no more: what it is asked later it must not answer, and what
// it writes the ledger must not take. That is a breach; a write that the ledger
// refuses is none, for a process that is halted between its last check and its
// write cannot know.
//
// A Witness may be used concurrently. It starts no goroutine, and forgets what is
// older than half an hour. Read report.go, which is what it knows, then
// witness.go.
package witness

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/protocluster/workshop/cmd/internal/ledger"
)

// Slow is how long an answer may take before its user counts as unavailable.
const Slow = 300 * time.Millisecond

const (
	memory       = 30 * time.Minute
	mostBreaches = 10_000
)

// Witness keeps what happened.
type Witness struct {
	asked int // how many users there are

	mu       sync.Mutex // guards all of these
	users    map[string]*user
	unheard  int
	cells    []Cell
	outages  []Outage
	breaches []Breach
	views    []View
}

// user is what is known of one.
type user struct {
	home     string
	recorded int64
	begun    map[string]begun // activations by name
	newest   begun
	silent   time.Time // since when it is; zero: it is not
}

// begun is an activation that has begun.
type begun struct {
	claim ledger.Claim
	at    time.Time
	place int // among those of its user
}

// New returns a witness of so many users, who has seen nothing yet.
func New(users int) *Witness { return &Witness{asked: users, users: make(map[string]*user)} }

// Answer is what a user answered.
type Answer struct {
	Claim    ledger.Claim
	Recorded int64 // the last number that it knows to be written
}

// Answered takes in an answer to what was asked at sent; wrote says that it
// acknowledges a write.
func (w *Witness) Answered(sent time.Time, a Answer, wrote bool) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	u, c := w.user(a.Claim.User), w.cell(now)
	if c.Answers == nil {
		c.Answers = make(map[string]int)
	}
	c.Answers[a.Claim.Member]++
	c.Counts.Answered++
	if wrote {
		c.Counts.Recorded++
	}
	u.home = a.Claim.Member
	w.judge(u, now, sent, a)
	u.recorded = max(u.recorded, a.Recorded)
	if u.silent.IsZero() && now.Sub(sent) > Slow {
		w.silence(u, now, sent)
	}
	if !u.silent.IsZero() {
		w.outages = append(w.outages, Outage{User: a.Claim.User, From: u.silent, To: now})
		u.silent = time.Time{}
		w.unheard--
	}
}

// judge finds what an answer should not be.
func (w *Witness) judge(u *user, now, sent time.Time, a Answer) {
	from, known := u.begun[a.Claim.Activation]
	switch newest := u.newest; {
	case !known:
		w.breach(now, Stale, a.Claim, "an answer came from an activation that never read its state")
	case from.place < newest.place && newest.at.Before(sent):
		w.breach(now, Stale, a.Claim, "%s answered what it was asked %v after %s had begun%s",
			a.Claim.Member, sent.Sub(newest.at).Round(time.Millisecond), other(a.Claim, newest.claim), tokens(a.Claim, newest.claim))
		w.breach(now, Overlap, a.Claim, "%s and %s both answered", a.Claim.Member, other(a.Claim, newest.claim))
	}
	if a.Recorded < u.recorded {
		w.breach(now, Lost, a.Claim, "write %d was acknowledged, and %s knows only of %d", u.recorded, a.Claim.Member, a.Recorded)
	}
}

// other names the member of d as c's people see it.
func other(c, d ledger.Claim) string {
	if c.Member == d.Member {
		return "a newer activation there"
	}
	return d.Member
}

func tokens(c, d ledger.Claim) string {
	if c.Epoch == 0 {
		return ""
	}
	return fmt.Sprintf(", under token %d.%d after %d.%d", c.Epoch, c.Counter, d.Epoch, d.Counter)
}

// Outcome is why a request has no answer.
type Outcome int

// The outcomes.
const (
	NotExecuted Outcome = iota
	Unknown
	Refused // the user answered with an error
)

// Failed takes in that what was asked of a user at sent has no answer.
func (w *Witness) Failed(name string, sent time.Time, o Outcome) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	u, c := w.user(name), w.cell(now)
	switch o {
	case NotExecuted:
		c.Counts.NotExecuted++
	case Unknown:
		c.Counts.Unknown++
	case Refused:
		c.Counts.Failed++
	}
	if u.silent.IsZero() {
		w.silence(u, now, sent)
	}
}

func (w *Witness) silence(u *user, now, since time.Time) {
	u.silent = since
	w.unheard++
	c := w.cell(now)
	c.Unheard = max(c.Unheard, w.unheard)
}

// Saw takes in a view of the cluster.
func (w *Witness) Saw(epoch uint64, members []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.views = append(w.views, View{At: time.Now(), Epoch: epoch, Members: slices.Sorted(slices.Values(members))})
}

// Began implements ledger.Observer.
func (w *Witness) Began(c ledger.Claim) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	u := w.user(c.User)
	if _, again := u.begun[c.Activation]; again {
		return
	}
	b := begun{claim: c, at: now, place: u.newest.place + 1}
	u.begun[c.Activation], u.newest = b, b
	cell := w.cell(now)
	if cell.Begun == nil {
		cell.Begun = make(map[string]Wave)
	}
	wave := cell.Begun[c.Member]
	if wave.N == 0 {
		wave.First = now
	}
	wave.N, wave.Last = wave.N+1, now
	cell.Begun[c.Member] = wave
}

// Wrote implements ledger.Observer.
func (w *Witness) Wrote(c, _ ledger.Claim) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	u := w.user(c.User)
	if from, known := u.begun[c.Activation]; known && from.place < u.newest.place {
		w.breach(now, Overlap, c, "a write of %s was taken %v after %s had begun", c.Member,
			now.Sub(u.newest.at).Round(time.Millisecond), other(c, u.newest.claim))
	}
}

// Refused implements ledger.Observer.
func (w *Witness) Refused(ledger.Claim, ledger.Claim) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cell(time.Now()).Counts.Refused++
}

// Report returns what happened since an instant, or since the beginning if that
// is later.
func (w *Witness) Report(since time.Time) *Report {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	r := &Report{Since: since, Until: now, Users: w.asked, Unheard: w.unheard, Homes: make(map[string]string)}
	if len(w.views) > 0 {
		last := w.views[len(w.views)-1]
		r.Epoch, r.Members = last.Epoch, last.Members
	}
	for name, u := range w.users {
		if u.home != "" {
			r.Homes[name] = u.home
		}
		if !u.silent.IsZero() {
			r.Outages = append(r.Outages, Outage{User: name, From: u.silent})
		}
	}
	for _, c := range w.cells {
		if c.At.Add(Tick).After(since) {
			c.Answers, c.Begun = maps.Clone(c.Answers), maps.Clone(c.Begun)
			r.Cells = append(r.Cells, c)
		}
	}
	r.Outages = append(r.Outages, after(w.outages, since, func(o Outage) time.Time { return o.To })...)
	r.Breaches = after(w.breaches, since, func(b Breach) time.Time { return b.At })
	r.Views = after(w.views, since, func(v View) time.Time { return v.At })
	return r
}

// after is the part of all that is not before an instant.
func after[T any](all []T, since time.Time, at func(T) time.Time) []T {
	var some []T
	for _, one := range all {
		if !at(one).Before(since) {
			some = append(some, one)
		}
	}
	return some
}

func (w *Witness) user(name string) *user {
	u := w.users[name]
	if u == nil {
		u = &user{begun: make(map[string]begun)}
		w.users[name] = u
	}
	return u
}

// cell is the one of now. What is too old goes when it begins.
func (w *Witness) cell(now time.Time) *Cell {
	at := now.Truncate(Tick)
	if n := len(w.cells); n == 0 || w.cells[n-1].At.Before(at) {
		w.forget(now.Add(-memory))
		w.cells = append(w.cells, Cell{At: at, Unheard: w.unheard})
	}
	return &w.cells[len(w.cells)-1]
}

func (w *Witness) forget(before time.Time) {
	if len(w.cells) == 0 || w.cells[0].At.After(before) {
		return
	}
	w.cells = slices.DeleteFunc(w.cells, func(c Cell) bool { return c.At.Before(before) })
	w.outages = slices.DeleteFunc(w.outages, func(o Outage) bool { return o.To.Before(before) })
	w.breaches = slices.DeleteFunc(w.breaches, func(b Breach) bool { return b.At.Before(before) })
}

func (w *Witness) breach(now time.Time, kind Kind, c ledger.Claim, format string, args ...any) {
	if len(w.breaches) < mostBreaches {
		w.breaches = append(w.breaches, Breach{At: now, Kind: kind, User: c.User, Member: c.Member, Text: fmt.Sprintf(format, args...)})
	}
}

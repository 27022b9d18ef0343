package referee

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// Rule is one that was broken.
type Rule string

// The rules of a Ledger; the text of each is in package integration's doc.go.
const (
	Overlap    Rule = "overlap"     // dispatched after a later activation had begun
	TokenOrder Rule = "token order" // a later activation without a higher token
	OneToken   Rule = "one token"   // an activation with several
	OneAtATime Rule = "one at a time"
	StaleReply Rule = "stale reply" // accepted for a request made after a later activation had begun
	Stranger   Rule = "stranger"    // a reply of an activation that never reported
)

// Violation is a rule that was broken.
type Violation struct {
	Rule     Rule
	Identity string
	At       time.Duration // the instant that shows it
	Text     string
}

func (v Violation) String() string {
	return fmt.Sprintf("%s of %s at %v: %s", v.Rule, v.Identity, v.At, v.Text)
}

// Verdict is what a Ledger has found so far.
type Verdict struct {
	Violations []Violation // by instant
	// Stragglers are entries after a later activation had begun that are none
	// of its violations: their process stood still between the check of the
	// lease and the handler.
	Stragglers []Entry

	Identities, Activations, Entries, Replies int
}

// Ledger holds what was reported, in whatever order it came. Its methods may be
// called concurrently.
type Ledger struct {
	workers int

	mu         sync.Mutex
	identities map[string]lives // guarded by mu
	pauses     map[string][]Pause
	strangers  []Reply // whose activation has not reported yet
	replies    int
}

// lives are the activations of an identity, by name.
type lives map[string]*life

// life is what is known of an activation.
type life struct {
	Activation

	entries []Entry
	exits   map[uint64]time.Duration // by the entry's number
	other   *Token                   // one that it had, too
	latest  *Reply                   // the accepted one that was asked for last
}

// NewLedger returns an empty ledger. workers is how many messages a process may
// handle at a time: as many stragglers are excused for each Pause.
func NewLedger(workers int) *Ledger {
	return &Ledger{workers: workers, identities: make(map[string]lives), pauses: make(map[string][]Pause)}
}

// Enter takes note of an entry.
func (l *Ledger) Enter(e Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.life(e.Activation)
	a.entries = append(a.entries, e)
	if e.Token != a.Token {
		a.other = &e.Token
	}
}

// Exit takes note of the end of a handler, whose entry has been noted.
func (l *Ledger) Exit(e Exit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a := l.identities[e.Identity][e.Name]; a != nil {
		a.exits[e.Number] = e.At
	}
}

// Accept takes note of a reply that a client accepted.
func (l *Ledger) Accept(r Reply) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.replies++
	l.credit(r)
}

// credit adds a reply to its activation, or to the strangers if that has not
// reported yet; call it with mu held.
func (l *Ledger) credit(r Reply) {
	a := l.identities[r.Identity][r.Name]
	switch {
	case a == nil:
		l.strangers = append(l.strangers, r)
	case r.Token != a.Token:
		a.other = &r.Token
	case a.latest == nil || a.latest.Sent < r.Sent:
		a.latest = &r
	}
}

// Stand takes note that a process stood still.
func (l *Ledger) Stand(p Pause) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pauses[p.Process] = append(l.pauses[p.Process], p)
}

// life is that of a, made if it is news; call it with mu held.
func (l *Ledger) life(a Activation) *life {
	all := l.identities[a.Identity]
	if all == nil {
		all = make(lives)
		l.identities[a.Identity] = all
	}
	if all[a.Name] == nil {
		all[a.Name] = &life{Activation: a, exits: make(map[uint64]time.Duration)}
	}
	return all[a.Name]
}

// Judge says what all that was noted so far amounts to.
func (l *Ledger) Judge() Verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	early := l.strangers
	l.strangers = nil
	for _, r := range early {
		l.credit(r) // its activation may have reported since
	}
	t := trial{pauses: l.pauses, workers: l.workers, excused: make(map[Pause]int), known: make(map[straggler]bool)}
	t.Identities, t.Replies = len(l.identities), l.replies
	for _, name := range slices.Sorted(maps.Keys(l.identities)) {
		t.identity(l.identities[name])
	}
	for _, r := range l.strangers {
		t.find(Stranger, r.Identity, r.Came, "a reply of %v, which reported no message", r.Activation)
	}
	slices.SortStableFunc(t.Violations, func(a, b Violation) int { return cmp.Compare(a.At, b.At) })
	return t.Verdict
}

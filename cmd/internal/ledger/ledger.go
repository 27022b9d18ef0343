// Package ledger is storage that activations write to, and that cannot be fooled
// by one that has been replaced: it keeps the last number of each user, and takes
// the next only from who knows the last and has a token that is not older than
// the newest it has seen.
//
// A Ledger is served by Handler, over HTTP, and used by a Client; both may be used
// concurrently, and start no goroutine. Errors of a Client are ErrStale, where the
// ledger refused and refuses for ever, or say that the ledger was not reached.
//
// Read ledger.go, then http.go.
package ledger

import (
	"cmp"
	"errors"
	"sync"
)

// ErrStale says that whoever wrote does not know the newest state: it was replaced.
var ErrStale = errors.New("ledger: a newer activation has been here")

// Claim is who reads and writes: an activation of a user.
type Claim struct {
	User       string `json:"user"`
	Member     string `json:"member"`
	Activation string `json:"activation"`
	Epoch      uint64 `json:"epoch"` // with Counter its fencing token; zero if it has none
	Counter    uint64 `json:"counter"`
}

// Compare tells whose token is newer: c's if it is positive.
func (c Claim) Compare(d Claim) int {
	return cmp.Or(cmp.Compare(c.Epoch, d.Epoch), cmp.Compare(c.Counter, d.Counter))
}

// Observer is told what happens in a ledger, in that order, and must not block.
type Observer interface {
	Began(c Claim)               // an activation has read the state, and may act from here on
	Wrote(c Claim, newest Claim) // its write was taken; newest is the activation that began last
	Refused(c Claim, newest Claim)
}

// Ledger keeps the numbers of all users, in memory.
type Ledger struct {
	observer Observer

	mu    sync.Mutex
	users map[string]account // guarded by mu
}

type account struct {
	number int64
	writer string // the activation that saved it
	newest Claim  // the one with the newest token, of those without the one that came last
}

// New returns an empty ledger.
func New(observer Observer) *Ledger {
	return &Ledger{observer: observer, users: make(map[string]account)}
}

// Load returns the last number of the claim's user; 0 if there is none.
func (l *Ledger) Load(c Claim) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.users[c.User]
	if c.Compare(a.newest) < 0 {
		l.observer.Refused(c, a.newest)
		return 0, ErrStale
	}
	a.newest = c
	l.users[c.User] = a
	l.observer.Began(c)
	return a.number, nil
}

// Save takes a number if it is the next. Who saved the last may save it again.
func (l *Ledger) Save(c Claim, number int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.users[c.User]
	again := number == a.number && c.Activation == a.writer
	if c.Compare(a.newest) < 0 || number != a.number+1 && !again {
		l.observer.Refused(c, a.newest)
		return ErrStale
	}
	a.number, a.writer = number, c.Activation
	l.users[c.User] = a
	l.observer.Wrote(c, a.newest)
	return nil
}

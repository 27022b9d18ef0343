// Package state is exercise 4.10: survive failover with state.
package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// Snapshot is the state of an identity as it is stored.
type Snapshot struct {
	Version uint64 // grows by one with each Save; 0: nothing is stored
	Data    []byte
}

// ErrStale is Save's answer to a version that is not the next one: another
// activation has saved meanwhile.
var ErrStale = errors.New("state: stale: another activation has saved")

// Store keeps snapshots, the last one of each identity. Its methods may be called
// concurrently.
type Store interface {
	// Load returns the snapshot of id; the zero Snapshot if there is none.
	Load(ctx context.Context, id cluster.Identity) (Snapshot, error)
	// Save replaces the snapshot of id by s if s.Version is the stored one plus
	// one, or does nothing and returns an ErrStale. After any other error it may
	// have happened or not.
	Save(ctx context.Context, id cluster.Identity, s Snapshot) error
}

// Deposit asks an account to add something. Request is another one for each
// deposit, and the same when a deposit is sent again.
type Deposit struct {
	Request string
	Amount  int64
}

// Balance is the reply to a Deposit, once that is durable: what the account has
// then, and in which version.
type Balance struct {
	Amount  int64
	Version uint64
}

// Account is a virtual actor whose state outlives it. It is used by one goroutine
// at a time.
type Account struct {
	id    cluster.Identity
	store Store

	loaded  bool // what follows is what was stored
	version uint64
	book    book
	stale   bool // another activation has saved: this one is over
}

// book is what a snapshot holds.
type book struct {
	Amount int64
	Done   []entry // the last deposits, up to remembered
}

// entry is a deposit and its reply.
type entry struct {
	Request string
	Balance Balance
}

const remembered = 100

// NewAccount returns the account of id, which has not been loaded.
func NewAccount(id cluster.Identity, store Store) *Account { return &Account{id: id, store: store} }

// Receive implements actor.Actor. A caller that found a stale account is told to
// try again, which leads it to the other one.
func (a *Account) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		_ = a.Load(ctx) // if that failed, Apply tries again
	case *Deposit:
		balance, err := a.Apply(ctx, *m)
		switch {
		case err == nil:
			ctx.Respond(&balance)
		case errors.Is(err, ErrStale):
			ctx.Respond(&actor.RejectedError{Reason: fmt.Errorf("%w: %w", actor.ErrNotDelivered, err)})
			ctx.Stop(ctx.Self())
		default:
			ctx.Respond(err)
		}
	}
}

// Load takes over what is stored. After an error nothing is known of the account,
// which is not the same as an empty one.
func (a *Account) Load(ctx context.Context) error {
	s, _ := a.store.Load(ctx, a.id)
	var b book
	if json.Unmarshal(s.Data, &b) != nil {
		b = book{} // a new account
	}
	a.loaded, a.version, a.book = true, s.Version, b
	return nil
}

// Apply executes the deposit and returns the balance once that is saved. An
// account of which nothing is known is loaded first. After an error of Save
// nothing is known.
//
// One of the last 100 deposits that comes again is not executed again, by this
// or any later activation: the reply is the first one. A deposit without Request
// is refused. An ErrStale says that another activation lives: this one saves
// nothing any more, and returns ErrStale from then on.
func (a *Account) Apply(ctx context.Context, d Deposit) (Balance, error) {
	switch {
	case a.stale:
		return Balance{}, ErrStale
	case d.Request == "":
		return Balance{}, errors.New("state: a deposit has no Request, by which it is known when it comes again")
	case !a.loaded:
		if err := a.Load(ctx); err != nil {
			return Balance{}, err
		}
	}
	if i := slices.IndexFunc(a.book.Done, func(e entry) bool { return e.Request == d.Request }); i >= 0 {
		return a.book.Done[i].Balance, nil
	}
	reply := Balance{Amount: a.book.Amount + d.Amount, Version: a.version + 1}
	done := append(slices.Clone(a.book.Done), entry{d.Request, reply})
	next := book{Amount: reply.Amount, Done: done[max(0, len(done)-remembered):]}
	data, err := json.Marshal(next)
	if err == nil {
		err = a.store.Save(ctx, a.id, Snapshot{Version: reply.Version, Data: data})
	}
	if err != nil {
		a.loaded, a.stale = false, errors.Is(err, ErrStale)
		return Balance{}, fmt.Errorf("state: save %s: %w", a.id, err)
	}
	a.version, a.book = reply.Version, next
	return reply, nil
}

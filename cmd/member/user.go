package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/protocluster/workshop/cmd/internal/gen/userpb"
	"github.com/protocluster/workshop/cmd/internal/ledger"
	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// user is a grain that counts visits. The count lives and dies with the
// activation; what it records is in the ledger, if there is one.
type user struct {
	member string
	ledger *ledger.Client // nil: it records nothing

	claim    ledger.Claim
	loaded   bool
	visits   int64
	recorded int64
}

// ledgerPatience bounds one access to the ledger.
const ledgerPatience = time.Second

var errNoLedger = errors.New("member: there is no ledger to record anything in; give all members -ledger, the URL of one")

func (u *user) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		id, _ := cluster.IdentityOf(ctx)
		fence := ctx.Fence()
		u.claim = ledger.Claim{User: id.Identity, Member: u.member, Activation: rand.Text(), Epoch: fence.Epoch, Counter: fence.Counter}
	case *userpb.Visit:
		u.answer(ctx, u.load(ctx))
	case *userpb.Record:
		u.answer(ctx, u.record(ctx, m.GetNumber()))
	}
}

// answer answers, unless err says why not.
func (u *user) answer(ctx actor.Context, err error) {
	if err != nil {
		ctx.Respond(err)
		return
	}
	u.visits++
	ctx.Respond(&userpb.Visited{
		Member:     u.member,
		Address:    ctx.Self().Address,
		Activation: u.claim.Activation,
		Visits:     u.visits,
		Token:      token(ctx.Fence()),
		Recorded:   u.recorded,
	})
}

// load reads what the user had recorded before this activation, once. Nothing is
// answered before that.
func (u *user) load(ctx actor.Context) error {
	if u.loaded || u.ledger == nil {
		return nil
	}
	within, cancel := context.WithTimeout(ctx, ledgerPatience)
	defer cancel()
	recorded, err := u.ledger.Load(within, u.claim)
	if err != nil {
		return u.refused(ctx, fmt.Errorf("member: load what was recorded: %w", err))
	}
	u.recorded, u.loaded = recorded, true
	return nil
}

// record writes a number down, and returns once that is durable. A number that is
// there already is no fault: its answer was lost.
func (u *user) record(ctx actor.Context, number int64) error {
	if u.ledger == nil {
		return errNoLedger
	}
	if err := u.load(ctx); err != nil {
		return err
	}
	if number <= u.recorded {
		return nil
	}
	within, cancel := context.WithTimeout(ctx, ledgerPatience)
	defer cancel()
	if err := u.ledger.Save(within, u.claim, number); err != nil {
		u.loaded = false // it may have been written
		return u.refused(ctx, fmt.Errorf("member: record %d: %w", number, err))
	}
	u.recorded = number
	return nil
}

// refused ends the activation if the ledger knows of a newer one.
func (u *user) refused(ctx actor.Context, err error) error {
	if errors.Is(err, ledger.ErrStale) {
		ctx.Stop(ctx.Self())
	}
	return err
}

// token is what fences an activation, as a message; nil if nothing does.
func token(t actor.Token) *userpb.Token {
	if t == (actor.Token{}) {
		return nil
	}
	return &userpb.Token{Epoch: t.Epoch, Counter: t.Counter}
}

// knownKinds are the kinds that a member can be told to host; l may be nil.
func knownKinds(member string, l *ledger.Client) map[string]cluster.Kind {
	return map[string]cluster.Kind{
		"user": cluster.NewKind("user", actor.PropsFromProducer(func() actor.Actor { return &user{member: member, ledger: l} })),
	}
}

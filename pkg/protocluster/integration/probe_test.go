//go:build integration

package integration_test

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/integration/internal/referee"
)

// ask is what a probe is asked.
type ask struct {
	Verb  referee.Verb
	Value int64
}

// told is what it answers.
type told struct {
	Activation referee.Activation
	Value      int64
	Stale      bool   // the storage refused
	Fault      string // it is not known what became of it
}

// storagePatience bounds a call of the storage.
const storagePatience = 2 * time.Second

// probe is a virtual actor that reports each of its handlers to the referee. It
// counts in memory, and keeps a register in the referee's storage.
type probe struct {
	desk    *referee.Desk
	process string

	self   referee.Activation
	number uint64 // messages so far
	count  int64
	value  int64
	loaded bool // value is that of the register
}

// Receive implements actor.Actor.
func (p *probe) Receive(ctx actor.Context) {
	at := referee.Now() // before anything else
	switch m := ctx.Message().(type) {
	case *actor.Started:
		id, _ := cluster.IdentityOf(ctx)
		p.self = referee.Activation{Identity: id.Identity, Name: rand.Text(), Token: referee.Token(ctx.Fence()), Process: p.process}
		p.observed(at, func() {})
	case *ask:
		p.observed(at, func() { ctx.Respond(p.handle(ctx, m)) })
	}
}

// observed runs a handler between an entry and an exit. Without the referee
// nothing is handled.
func (p *probe) observed(at time.Duration, handle func()) {
	number := p.number
	p.number++
	if err := p.desk.Enter(referee.Entry{Activation: p.self, At: at, Number: number}); err != nil {
		return
	}
	handle()
	_ = p.desk.Exit(referee.Exit{Identity: p.self.Identity, Name: p.self.Name, Number: number, At: referee.Now()}) // then Enter fails next
}

func (p *probe) handle(ctx context.Context, m *ask) *told {
	ctx, cancel := context.WithTimeout(ctx, storagePatience)
	defer cancel()
	answer := &told{Activation: p.self}
	var err error
	switch m.Verb {
	case referee.Count:
		p.count++
		answer.Value = p.count
	case referee.Read:
		err = p.load(ctx)
		answer.Value = p.value
	case referee.Write:
		err = p.write(ctx, m.Value)
		answer.Value = m.Value
	case referee.Burn:
		answer.Value = spin(m.Value)
	}
	if _, answer.Stale = errors.AsType[*referee.StaleError](err); err != nil {
		answer.Fault = err.Error()
	}
	return answer
}

func (p *probe) load(ctx context.Context) (err error) {
	if p.loaded {
		return nil
	}
	p.value, err = p.desk.Load(ctx, p.self.Identity)
	p.loaded = err == nil
	return err
}

// write writes the register before it is answered for; after an error the value
// that counts is the register's.
func (p *probe) write(ctx context.Context, value int64) error {
	err := p.desk.Save(ctx, p.self, value)
	p.value, p.loaded = value, err == nil
	return err
}

// spin computes for so many rounds, of about 1 ns.
func spin(rounds int64) int64 {
	x := rounds | 1
	for range rounds {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	return x
}

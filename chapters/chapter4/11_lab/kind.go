package assembled

import (
	state "github.com/protocluster/workshop/chapters/chapter4/10_state"
	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// Kind returns k with its actors watched by exercise 4.7, which evicts them by
// Config.Eviction. Nodes whose lookup is l may host it.
func (l *Lookup) Kind(k cluster.Kind) cluster.Kind {
	if k.Props != nil {
		k.Props = k.Props.With(actor.WithReceiverMiddleware(l.watch))
	}
	return k
}

// watch tells the node of an actor about its messages.
func (l *Lookup) watch(next actor.ReceiveFunc) actor.ReceiveFunc {
	return func(ctx actor.Context) {
		id, virtual := cluster.IdentityOf(ctx)
		node, known := l.nodes.Load(ctx.Self().Address)
		if !virtual || !known {
			next(ctx)
			return
		}
		idle := node.(*locator).idle
		switch ctx.Message().(type) {
		case *actor.Started:
			_ = idle.Started(id) // again, after a restart
		case *actor.Stopped:
			defer idle.Ended(id) // what was held back came to the handler as well, or is given back by the host
		}
		idle.Deliver(id, ctx.Message())
		defer idle.Handled(id, ctx.Message())
		next(ctx)
	}
}

// Account is the kind of the accounts of exercise 4.10, which keep their state in
// store. It needs remote.WithTypes(&state.Deposit{}, &state.Balance{}).
func Account(store state.Store) cluster.Kind {
	return cluster.NewKind("account", actor.PropsFromProducer(func() actor.Actor { return &account{store: store} }))
}

// account is a state.Account once it knows whose.
type account struct {
	store state.Store
	inner *state.Account
}

// Receive implements actor.Actor.
func (a *account) Receive(ctx actor.Context) {
	if a.inner == nil {
		id, _ := cluster.IdentityOf(ctx)
		a.inner = state.NewAccount(id, a.store)
	}
	a.inner.Receive(ctx)
}

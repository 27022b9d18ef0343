package main

import (
	"crypto/rand"

	"github.com/protocluster/workshop/cmd/internal/gen/userpb"
	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// user is a grain that counts visits. The count lives and dies with the
// activation.
type user struct {
	member     string
	activation string
	visits     int64
}

func (u *user) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		u.activation = rand.Text()
	case *userpb.Visit:
		u.visits++
		ctx.Respond(&userpb.Visited{
			Member:     u.member,
			Address:    ctx.Self().Address,
			Activation: u.activation,
			Visits:     u.visits,
			Token:      token(ctx.Fence()),
		})
	}
}

// token is what fences an activation, as a message; nil if nothing does.
func token(t actor.Token) *userpb.Token {
	if t == (actor.Token{}) {
		return nil
	}
	return &userpb.Token{Epoch: t.Epoch, Counter: t.Counter}
}

// knownKinds are the kinds that a member can be told to host.
func knownKinds(member string) map[string]cluster.Kind {
	return map[string]cluster.Kind{
		"user": cluster.NewKind("user", actor.PropsFromProducer(func() actor.Actor { return &user{member: member} })),
	}
}

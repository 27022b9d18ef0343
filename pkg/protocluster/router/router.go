// Package router spreads messages over a set of actors, the routees: one of
// them by turn, by chance or by the message's hash, or all of them.
//
// A router is an actor, so it can be spawned, watched and stopped like any
// other, and it keeps the order of what one sender sends to one routee. A
// message that it cannot route becomes a dead letter.
package router

import (
	"math/rand/v2"
	"slices"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
)

// Routing picks the routees that get a message. It belongs to one router, whose
// handler alone calls it, with at least one routee.
type Routing func(routees []*actor.PID, message any) []*actor.PID

// The messages that a router handles itself.
type (
	// AddRoutee adds PID to the routees; it may be there more than once.
	AddRoutee struct{ PID *actor.PID }
	// RemoveRoutee removes PID from the routees, and does not stop it.
	RemoveRoutee struct{ PID *actor.PID }
	// GetRoutees is answered with *Routees.
	GetRoutees struct{}
	// Routees lists a router's routees.
	Routees struct{ PIDs []*actor.PID }
	// Broadcast goes to every routee, whatever the routing.
	Broadcast struct{ Message any }
)

// Hasher is what consistent hashing routes by; other messages are refused.
type Hasher interface{ Hash() string }

// RoundRobin gives each routee its turn.
func RoundRobin() Routing {
	next := 0
	return func(routees []*actor.PID, _ any) []*actor.PID {
		i := next % len(routees)
		next = i + 1
		return routees[i : i+1]
	}
}

// Random picks a routee by chance.
func Random() Routing {
	return func(routees []*actor.PID, _ any) []*actor.PID {
		i := rand.IntN(len(routees))
		return routees[i : i+1]
	}
}

// ToAll sends every message to every routee.
func ToAll() Routing {
	return func(routees []*actor.PID, _ any) []*actor.PID { return routees }
}

// ConsistentHash sends messages of the same Hash to the same routee; few hashes
// move when a routee comes or goes. Rendezvous hashing; Thaler & Ravishankar,
// IEEE/ACM ToN 1998.
func ConsistentHash() Routing {
	return func(routees []*actor.PID, message any) []*actor.PID {
		h, ok := message.(Hasher)
		if !ok {
			return nil
		}
		key := h.Hash()
		best, most := 0, uint64(0)
		for i, r := range routees {
			if score := score(r, key); score >= most {
				best, most = i, score
			}
		}
		return routees[best : best+1]
	}
}

func score(routee *actor.PID, key string) uint64 {
	x := uint64(14695981039346656037) // FNV-1a
	for _, s := range [...]string{routee.Address, "/", routee.ID, "/", key} {
		for i := range len(s) {
			x = (x ^ uint64(s[i])) * 1099511628211
		}
	}
	// FNV's high bits hardly mix: finish as MurmurHash3 does.
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// NewPool returns the Props of a router that spawns size routees and replaces
// none that ends. routing is called once for each router.
func NewPool(size int, routing func() Routing, routee *actor.Props, opts ...actor.PropsOption) *actor.Props {
	return actor.PropsFromProducer(func() actor.Actor {
		return &router{routing: routing(), size: size, props: routee}
	}, opts...)
}

// NewGroup returns the Props of a router for routees that exist already; it
// watches them and forgets those that end.
func NewGroup(routing func() Routing, routees []*actor.PID, opts ...actor.PropsOption) *actor.Props {
	return actor.PropsFromProducer(func() actor.Actor {
		return &router{routing: routing(), routees: slices.Clone(routees)}
	}, opts...)
}

// router forwards what it gets to routees.
type router struct {
	routing Routing
	size    int
	props   *actor.Props // of a pool's routees
	routees []*actor.PID
}

func (r *router) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		for range r.size {
			r.routees = append(r.routees, ctx.Spawn(r.props))
		}
		for _, pid := range r.routees {
			ctx.Watch(pid)
		}
	case *actor.Stopping, *actor.Stopped, *actor.Restarting, *actor.ReceiveTimeout:
	case *actor.Terminated:
		r.remove(m.Who)
	case *AddRoutee:
		ctx.Watch(m.PID)
		r.routees = append(slices.Clip(r.routees), m.PID)
	case *RemoveRoutee:
		ctx.Unwatch(m.PID)
		r.remove(m.PID)
	case *GetRoutees:
		ctx.Respond(&Routees{PIDs: slices.Clone(r.routees)})
	case *Broadcast:
		for _, pid := range r.routees {
			ctx.WithMessage(m.Message).Forward(pid)
		}
	default:
		r.route(ctx)
	}
}

func (r *router) route(ctx actor.Context) {
	var to []*actor.PID
	if len(r.routees) > 0 {
		to = r.routing(r.routees, ctx.Message())
	}
	if len(to) == 0 {
		ctx.Forward(nil)
	}
	for _, pid := range to {
		ctx.Forward(pid)
	}
}

func (r *router) remove(pid *actor.PID) {
	r.routees = slices.DeleteFunc(slices.Clone(r.routees), pid.Equal)
}

package router

import "github.com/protocluster/workshop/pkg/protocluster/actor"

// This file has Proto.Actor's names for pools and groups. They are supported
// for good.

// NewRoundRobinPool is NewPool with RoundRobin routing.
func NewRoundRobinPool(size int, routee *actor.Props) *actor.Props {
	return NewPool(size, RoundRobin, routee)
}

// NewRandomPool is NewPool with Random routing.
func NewRandomPool(size int, routee *actor.Props) *actor.Props { return NewPool(size, Random, routee) }

// NewBroadcastPool is NewPool with ToAll routing.
func NewBroadcastPool(size int, routee *actor.Props) *actor.Props {
	return NewPool(size, ToAll, routee)
}

// NewConsistentHashPool is NewPool with ConsistentHash routing.
func NewConsistentHashPool(size int, routee *actor.Props) *actor.Props {
	return NewPool(size, ConsistentHash, routee)
}

// NewRoundRobinGroup is NewGroup with RoundRobin routing.
func NewRoundRobinGroup(routees ...*actor.PID) *actor.Props { return NewGroup(RoundRobin, routees) }

// NewRandomGroup is NewGroup with Random routing.
func NewRandomGroup(routees ...*actor.PID) *actor.Props { return NewGroup(Random, routees) }

// NewBroadcastGroup is NewGroup with ToAll routing.
func NewBroadcastGroup(routees ...*actor.PID) *actor.Props { return NewGroup(ToAll, routees) }

// NewConsistentHashGroup is NewGroup with ConsistentHash routing.
func NewConsistentHashGroup(routees ...*actor.PID) *actor.Props {
	return NewGroup(ConsistentHash, routees)
}

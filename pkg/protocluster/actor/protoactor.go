package actor

import "time"

// This file has Proto.Actor's names for what the package calls otherwise. They
// are supported for good.

// ActorSystem is System.
type ActorSystem = System

// RootContext is System, which sends and spawns itself.
type RootContext = System

// SupervisorStrategy is Strategy.
type SupervisorStrategy = Strategy

// DeadLetterEvent is DeadLetter.
type DeadLetterEvent = DeadLetter

// NewActorSystem is NewSystem.
func NewActorSystem(opts ...SystemOption) *System { return NewSystem(opts...) }

// NewOneForOneStrategy is a Strategy that treats each child by itself.
func NewOneForOneStrategy(maxRestarts int, within time.Duration, decide func(reason error) Directive) Strategy {
	return Strategy{MaxRestarts: maxRestarts, Within: within, Decide: decide}
}

// NewAllForOneStrategy is a Strategy that treats all children alike.
func NewAllForOneStrategy(maxRestarts int, within time.Duration, decide func(reason error) Directive) Strategy {
	return Strategy{AllForOne: true, MaxRestarts: maxRestarts, Within: within, Decide: decide}
}

// ActorSystem is System.
func (c Context) ActorSystem() *System { return c.cell.system }

// EventStream is Events.
func (s *System) EventStream() *EventStream { return &s.events }

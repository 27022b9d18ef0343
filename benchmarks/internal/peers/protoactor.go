// Package peers starts other libraries the way that is fair to them.
package peers

import (
	"log/slog"

	"github.com/asynkron/protoactor-go/actor"
)

// NewProtoActor returns an actor system of protoactor-go that logs nothing.
func NewProtoActor() *actor.ActorSystem {
	logger := slog.New(slog.DiscardHandler)
	return actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return logger }))
}

package remote

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/remotepb"
	"github.com/protocluster/workshop/pkg/protocluster/internal/wire"
)

// spawnerName is the id of the actor that spawns for other nodes.
const spawnerName = "remote"

// Instance names an actor to be spawned on a node.
type Instance struct {
	Address string // of the node
	Kind    string // one of those that the node has in Config.Kinds
	Name    string // of the actor; "" has the node pick one
}

// Spawn starts an actor on another node, or on this one, and returns its PID
// once the node has it. It fails with ErrForbidden if the node has no such kind
// for others, with actor.ErrNameTaken, or as any request does.
func (r *Remote) Spawn(ctx context.Context, i Instance) (*actor.PID, error) {
	to, request := actor.NewPID(i.Address, spawnerName), &remotepb.SpawnRequest{Kind: i.Kind, Name: i.Name}
	reply, err := actor.Ask[*remotepb.SpawnReply](ctx, r.system, to, request)
	if err != nil {
		return nil, fmt.Errorf("remote: spawn kind %q at %s: %w", i.Kind, i.Address, err)
	}
	return actor.NewPID(i.Address, reply.Id), nil
}

// spawnerProps is the actor that answers Spawn.
func (r *Remote) spawnerProps() *actor.Props {
	return actor.PropsFromFunc(func(ctx actor.Context) {
		request, ok := ctx.Message().(*remotepb.SpawnRequest)
		if !ok {
			return
		}
		props := r.config.Kinds[request.Kind]
		if props == nil {
			ctx.Respond(wire.Fault(ErrForbidden, "kind %q may not be spawned at %s; it has %q, add it there with WithKinds",
				request.Kind, r.Address(), slices.Sorted(maps.Keys(r.config.Kinds))))
			return
		}
		pid, err := r.system.SpawnNamed(props, request.Name)
		if err != nil {
			ctx.Respond(err)
			return
		}
		ctx.Respond(&remotepb.SpawnReply{Id: pid.ID})
	})
}

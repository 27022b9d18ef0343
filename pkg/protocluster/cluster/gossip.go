package cluster

import (
	"context"
	"math/rand/v2"
	"slices"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/background"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/clusterpb"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gossip"
)

// Load is what a member tells of itself. Nothing decides by it.
type Load struct {
	Heartbeat   uint64         // grows with each round
	Activations map[string]int // per kind
	Pressure    float64        // goroutines that wait for a processor, per processor
}

// Loads returns what this node has heard of the members' loads, by their IDs;
// news reach all members within a few intervals. A member that has just joined
// may be missing.
func (c *Cluster) Loads() map[string]Load {
	n := c.node.Load()
	if n == nil {
		return nil
	}
	loads := make(map[string]Load)
	for _, l := range n.gossip.All() {
		load := Load{Heartbeat: l.GetHeartbeat(), Pressure: l.GetPressure(), Activations: make(map[string]int)}
		for kind, count := range l.GetActivations() {
			load.Activations[kind] = int(count)
		}
		loads[l.GetMember()] = load
	}
	return loads
}

// spread gossips until ctx ends: a member tells others, a client asks one.
func (n *node) spread(ctx context.Context) {
	interval := n.config.gossipInterval()
	for background.Sleep(ctx, interval-interval/8+rand.N(interval/4)) {
		view := n.View()
		switch {
		case !n.client:
			self := slices.IndexFunc(view.Members, func(m Member) bool { return m.ID == n.Self().ID })
			m := n.gossip.Tell(n.Self().ID, n.load())
			for _, i := range n.gossip.Round(view.Epoch, self, len(view.Members)) {
				n.system.Send(actor.NewPID(view.Members[i].Address, endpointName), m)
			}
		case len(view.Members) > 0:
			ctx, cancel := context.WithTimeout(ctx, interval)
			peer := actor.NewPID(view.Members[rand.IntN(len(view.Members))].Address, endpointName)
			m, err := actor.Ask[*clusterpb.Gossip](ctx, n.system, peer, &clusterpb.GossipRequest{})
			cancel()
			if err == nil {
				n.gossip.Hear(m, n.interesting)
			}
		}
	}
}

// interesting tells the members of which this node wants to hear.
func (n *node) interesting(member string) bool {
	_, in := n.View().Member(member)
	return in && member != n.Self().ID
}

func (n *node) load() *clusterpb.Load {
	return &clusterpb.Load{Activations: n.grains.counts(), Pressure: gossip.Pressure()}
}

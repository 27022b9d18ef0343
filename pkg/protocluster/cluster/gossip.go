package cluster

import (
	"context"
	"maps"
	"math/rand/v2"
	"runtime/metrics"
	"slices"
	"sync"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/clusterpb"
)

const (
	gossipPeers  = 3  // told in a round
	gossipBounds = 64 // members told of in a round, those with the freshest news
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
	for _, l := range n.gossip.all() {
		load := Load{Heartbeat: l.GetHeartbeat(), Pressure: l.GetPressure(), Activations: make(map[string]int)}
		for kind, count := range l.GetActivations() {
			load.Activations[kind] = int(count)
		}
		loads[l.GetMember()] = load
	}
	return loads
}

// gossip is what a node knows of everybody's load: a state machine without I/O.
type gossip struct {
	self string

	mu    sync.Mutex
	round uint64
	news  map[string]rumour // by member
}

type rumour struct {
	load  *clusterpb.Load
	round uint64 // of this node, when it heard
}

func newGossip(self string) *gossip { return &gossip{self: self, news: make(map[string]rumour)} }

// tell begins a round and returns what to tell in it. own is nil on a client.
func (g *gossip) tell(own *clusterpb.Load) *clusterpb.Gossip {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.round++
	if own != nil {
		own.Member, own.Heartbeat = g.self, g.round
		g.news[g.self] = rumour{own, g.round}
	}
	fresh := slices.SortedFunc(maps.Values(g.news), func(a, b rumour) int { return int(b.round) - int(a.round) })
	var m clusterpb.Gossip
	for _, r := range fresh[:min(len(fresh), gossipBounds)] {
		m.Loads = append(m.Loads, r.load)
	}
	return &m
}

// hear takes in what is newer than what it knows, of members in view.
func (g *gossip) hear(m *clusterpb.Gossip, view *View) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, l := range m.GetLoads() {
		_, in := view.Member(l.GetMember())
		if in && l.GetMember() != g.self && l.GetHeartbeat() > g.news[l.GetMember()].load.GetHeartbeat() {
			g.news[l.GetMember()] = rumour{l, g.round}
		}
	}
}

// retain forgets whoever is not in view.
func (g *gossip) retain(view *View) {
	g.mu.Lock()
	defer g.mu.Unlock()
	maps.DeleteFunc(g.news, func(id string, _ rumour) bool { _, in := view.Member(id); return !in })
}

func (g *gossip) all() []*clusterpb.Load {
	g.mu.Lock()
	defer g.mu.Unlock()
	var all []*clusterpb.Load
	for _, r := range g.news {
		all = append(all, r.load)
	}
	return all
}

// spread gossips until ctx ends: a member tells others, a client asks one.
func (n *node) spread(ctx context.Context) {
	interval := n.config.gossipInterval()
	for {
		timer := time.NewTimer(interval - interval/8 + rand.N(interval/4))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		peers := slices.DeleteFunc(slices.Clone(n.View().Members), func(m Member) bool { return m.ID == n.Self().ID })
		rand.Shuffle(len(peers), func(i, j int) { peers[i], peers[j] = peers[j], peers[i] })
		switch {
		case !n.client:
			m := n.gossip.tell(n.load())
			for _, p := range peers[:min(len(peers), gossipPeers)] {
				n.system.Send(actor.NewPID(p.Address, endpointName), m)
			}
		case len(peers) > 0:
			ctx, cancel := context.WithTimeout(ctx, interval)
			m, err := actor.Ask[*clusterpb.Gossip](ctx, n.system, actor.NewPID(peers[0].Address, endpointName), &clusterpb.GossipRequest{})
			cancel()
			if err == nil {
				n.gossip.hear(m, n.View())
			}
		}
	}
}

func (n *node) load() *clusterpb.Load {
	sample := []metrics.Sample{{Name: "/sched/goroutines/runnable:goroutines"}, {Name: "/sched/gomaxprocs:threads"}}
	metrics.Read(sample)
	return &clusterpb.Load{Activations: n.grains.counts(), Pressure: float64(sample[0].Value.Uint64()) / float64(sample[1].Value.Uint64())}
}

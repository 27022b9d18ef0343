package crowd

import (
	"context"
	"log/slog"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/test"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/disthash"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/partition"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

// protocluster is members of this library; their view store is in memory.
type protocluster struct {
	config *cluster.Config

	mu      sync.Mutex
	members []*cluster.Cluster
}

// newStrict gathers members with leases. Each has a connection to each of a few
// others for gossip, and one with each of five for leases, or two while it joins.
func newStrict(members int) (crowd, error) {
	return newProtocluster(partition.New()), allow(members, 1)
}

// newEventual gathers members without leases.
func newEventual(members int) (crowd, error) {
	return newProtocluster(disthash.New()), allow(members, 1)
}

func newProtocluster(lookup cluster.IdentityLookup) *protocluster {
	idler := cluster.NewKind(kind, actor.PropsFromFunc(func(actor.Context) {}))
	return &protocluster{config: cluster.Configure("crowd", test.NewTestProvider(test.NewInMemAgent()), lookup,
		remote.Configure("127.0.0.1", 0), cluster.WithKinds(idler))}
}

func (p *protocluster) add(ctx context.Context, n int) error {
	joining, ctx := errgroup.WithContext(ctx)
	for range n {
		m := cluster.New(actor.NewSystem(actor.WithLogger(slog.New(slog.DiscardHandler))), p.config)
		p.mu.Lock()
		p.members = append(p.members, m)
		p.mu.Unlock()
		joining.Go(func() error { return m.Join(ctx) })
	}
	return joining.Wait()
}

func (p *protocluster) agreed(members int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.members {
		if len(m.View().Hosts(kind)) != members {
			return false
		}
	}
	return len(p.members) == members
}

func (p *protocluster) activate(ctx context.Context, identity string) error {
	_, err := p.members[0].Locate(ctx, cluster.Identity{Kind: kind, Identity: identity})
	return err
}

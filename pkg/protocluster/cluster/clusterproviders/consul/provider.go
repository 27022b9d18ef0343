package consul

import (
	"context"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

// Provider is a cluster.ViewStore on Consul. It holds no state of a node, so
// one value may serve several.
type Provider struct{ config Config }

var (
	_ cluster.ViewStore = (*Provider)(nil)
	_ cluster.Checker   = (*Provider)(nil)
)

// New is a provider for the Consul that the options, or else Consul's own
// environment variables, name; by default the agent on this machine. What is
// wrong with them is said by Check and OpenStore.
func New(opts ...Option) *Provider {
	p := new(Provider)
	for _, opt := range opts {
		opt(&p.config)
	}
	return p
}

// Check implements cluster.Checker: it reports every fault of the
// configuration, and does not ask Consul.
func (p *Provider) Check(_ context.Context, network remote.Network) error {
	_, err := dial(p.config, network)
	return err
}

// Run implements cluster.Provider.
func (p *Provider) Run(ctx context.Context, node cluster.Node) error {
	store, err := p.OpenStore(node)
	if err != nil {
		return err
	}
	return cluster.Keep(ctx, node, store)
}

// OpenStore implements cluster.ViewStore.
func (p *Provider) OpenStore(node cluster.Node) (cluster.Store, error) {
	agent, err := dial(p.config, node.Network())
	if err != nil {
		return nil, err
	}
	name := node.ClusterName()
	s := &store{agent: agent, turn: make(chan struct{}, 1), log: node.Logger().With("cluster", name, "consul", agent.address)}
	s.folder = p.config.prefix() + "/" + segment(name) + "/"
	s.service = p.config.Service
	if s.service == "" {
		s.service = name
	}
	s.access = "write"
	if node.Client() {
		s.access = "read"
	}
	return s, nil
}

package test

import (
	"cmp"
	"context"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// Provider is a cluster.Provider whose members meet at an InMemAgent.
type Provider struct {
	agent *InMemAgent
	ttl   time.Duration
}

// Option sets one property of a Provider.
type Option func(*Provider)

// WithTTL sets how long a member stays after it was last heard of; it refreshes
// three times as often. 0 means 3 s.
func WithTTL(d time.Duration) Option { return func(p *Provider) { p.ttl = d } }

// NewTestProvider returns a provider for any number of nodes in this process:
// those whose providers share an agent, and who share a cluster's name, see each
// other.
func NewTestProvider(agent *InMemAgent, opts ...Option) *Provider {
	p := &Provider{agent: agent}
	for _, opt := range opts {
		opt(p)
	}
	p.ttl = cmp.Or(max(p.ttl, 0), 3*time.Second)
	return p
}

// Run implements cluster.Provider. A strict node goes by the agent's view store,
// all others by who is heard of.
func (p *Provider) Run(ctx context.Context, node cluster.Node) error {
	if node.Strict() {
		return p.agent.store.For(node.Self().ID).Run(ctx, node)
	}
	return p.observe(ctx, node)
}

// OpenStore implements cluster.ViewStore.
func (p *Provider) OpenStore(node cluster.Node) (cluster.Store, error) {
	return p.agent.store.For(node.Self().ID).OpenStore(node)
}

// observe announces the node and reports whom the agent has heard of.
func (p *Provider) observe(ctx context.Context, node cluster.Node) error {
	name, ttl := node.ClusterName(), p.ttl
	if node.Client() {
		ttl = 0
	}
	defer func() { p.agent.withdraw(name, node.Self().ID) }()
	for {
		turned := node.Changed() // before Self, so that no change is missed
		news, err := p.agent.exchange(name, node.Self(), ttl)
		pause := p.ttl / 3
		if err == nil {
			node.Report(news.members)
		}
		if !news.next.IsZero() {
			pause = min(pause, time.Until(news.next))
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-turned:
		case <-news.changed:
		case <-timer.C:
		}
		timer.Stop()
		if ctx.Err() != nil {
			return nil
		}
	}
}

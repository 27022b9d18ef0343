package cluster

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

// Config says what a node of a cluster is made of. It holds no state of a node,
// so one value may serve several; do not modify it once it is in use. What is
// wrong in it is reported by Join and Connect.
type Config struct {
	// Name is shared by all nodes of the cluster, and by no other cluster.
	Name string
	// Provider says who the members are.
	Provider Provider
	// Lookup decides which member hosts an identity.
	Lookup IdentityLookup
	// Remote is where the node listens and how it connects.
	Remote *remote.Config
	// Kinds is what this member hosts; members may differ in it.
	Kinds []Kind
	// Weight is this member's share of identities, in proportion to that of
	// others: one of weight 2 gets twice as many as one of weight 1, which 0
	// means. Only a ViewStore tells others of it.
	Weight float64
	// RequestTimeout bounds a request, a send and a look-up whose context has
	// no deadline; 0 means 5 s.
	RequestTimeout time.Duration
	// GossipInterval is how often a node tells of its load; 0 means 1 s.
	GossipInterval time.Duration
}

// Option sets one property of a Config.
type Option func(*Config)

// Configure returns the configuration of a cluster's node.
func Configure(name string, provider Provider, lookup IdentityLookup, remote *remote.Config, opts ...Option) *Config {
	c := Config{Name: name, Provider: provider, Lookup: lookup, Remote: remote}
	return c.With(opts...)
}

// With returns a copy of c that has opts applied.
func (c *Config) With(opts ...Option) *Config {
	d := *c
	d.Kinds = slices.Clip(c.Kinds)
	for _, opt := range opts {
		opt(&d)
	}
	return &d
}

// WithKinds adds to what the member hosts.
func WithKinds(kinds ...Kind) Option {
	return func(c *Config) { c.Kinds = append(c.Kinds, kinds...) }
}

// WithWeight sets Config.Weight.
func WithWeight(w float64) Option { return func(c *Config) { c.Weight = w } }

// WithRequestTimeout sets Config.RequestTimeout.
func WithRequestTimeout(d time.Duration) Option { return func(c *Config) { c.RequestTimeout = d } }

// WithGossipInterval sets Config.GossipInterval.
func WithGossipInterval(d time.Duration) Option { return func(c *Config) { c.GossipInterval = d } }

// Validate reports everything that is wrong with c, or nil, but for what
// remote.Config.Validate says of c.Remote.
func (c *Config) Validate() error {
	var faults []error
	missing := func(is bool, text string) {
		if is {
			faults = append(faults, errors.New("cluster: "+text))
		}
	}
	missing(c.Name == "", "the cluster has no name; give all its nodes the same one, such as \"shop\"")
	missing(c.Provider == nil, "no provider says who the members are; configure one, such as automanaged.New()")
	missing(c.Lookup == nil, "no lookup says where identities live; configure one, such as disthash.New()")
	missing(c.Remote == nil, "no remote is configured; give remote.Configure(\"127.0.0.1\", 0)")
	missing(c.RequestTimeout < 0 || c.GossipInterval < 0, "a timeout or interval is negative; 0 means its default")
	missing(!(c.Weight >= 0 && c.Weight <= 1e6), "a weight is from 0, which means 1, to a million")
	names := make(map[string]bool)
	for _, k := range c.Kinds {
		faults = append(faults, k.Validate())
		if names[k.Name] {
			faults = append(faults, fmt.Errorf("cluster: kind %q is registered twice; remove or rename one", k.Name))
		}
		names[k.Name] = true
	}
	return errors.Join(faults...)
}

func (c *Config) requestTimeout() time.Duration { return cmp.Or(c.RequestTimeout, 5*time.Second) }
func (c *Config) gossipInterval() time.Duration { return cmp.Or(c.GossipInterval, time.Second) }

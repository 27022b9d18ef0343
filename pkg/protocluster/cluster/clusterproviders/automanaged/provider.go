package automanaged

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

// DefaultSeed is the seed of a Config that names neither seeds nor Bind: the
// first node of a machine listens there, the others find it there.
const DefaultSeed = "127.0.0.1:6330"

// Config says where the membership endpoints are and how fast failures are
// noticed. The zero value of a field means its default.
type Config struct {
	// Seeds are the membership endpoints, host:port, where a node looks for
	// the others. A node listens on the first of them that is free on its
	// own host. Default: DefaultSeed, or none if Bind is set, which makes
	// the node the first of its cluster.
	Seeds []string
	// Bind is where the node's own endpoint listens, host:port; port 0 is
	// any free one. Default: a seed of this host, else a free port at the
	// host of the node's remote address.
	Bind string
	// Advertise is where others reach the endpoint, host:port, if not where
	// it listens: behind NAT, or bound to 0.0.0.0.
	Advertise string
	// ProbeInterval is how often a node checks one of the others. A probe
	// that stays unanswered that long, directly, through three others and
	// over a stream, makes the member suspect. Default: 250 ms.
	ProbeInterval time.Duration
	// Suspicion is how long a suspect may still answer before it is taken
	// for dead, rounded up to whole probe intervals. It is doubled if no
	// other member confirms, and multiplied by log10 of the number of nodes
	// if that is more than 1. Default: 3 probe intervals, 750 ms.
	Suspicion time.Duration
	// GossipInterval is how often news are passed on. Default: 50 ms.
	GossipInterval time.Duration
	// JoinRetry is how often seeds are called that are not members: those
	// that were not there yet, or went with a partition. Default: 1 s.
	JoinRetry time.Duration
	// JoinTimeout is how long a node that listens on no seed calls them
	// before it gives up. Default: 5 s.
	JoinTimeout time.Duration
	// SecretKey encrypts what the endpoints say to one another, with AES in
	// GCM mode: 16, 24 or 32 bytes, the same on all nodes. Default: none.
	SecretKey []byte
}

// Provider is a cluster.Provider over hashicorp/memberlist. It holds no state
// of a node. What NewWithLease returns also keeps the list of the endpoints
// leased through it that are alive, guarded by a mutex: it is how the nodes of
// one process find each other.
type Provider struct {
	config Config
	lease  func() string
	leases leases
}

var (
	_ cluster.Provider = (*Provider)(nil)
	_ cluster.Checker  = (*Provider)(nil)
)

// New is a provider whose nodes find each other at the seeds, host:port; none
// means DefaultSeed. All nodes of a cluster may have the same list.
func New(seeds ...string) *Provider { return NewWith(Config{Seeds: seeds}) }

// NewWith is New with everything that can be configured.
func NewWith(config Config) *Provider {
	config.Seeds = slices.Clone(config.Seeds)
	config.SecretKey = slices.Clone(config.SecretKey)
	return &Provider{config: config.withDefaults()}
}

// NewWithLease is a provider for several nodes of one process: lease returns
// where the endpoint of each node listens; "127.0.0.1:0" is any free port, and
// "" one at the host of the node's remote address. Nodes that share the provider
// and the cluster's name find each other.
func NewWithLease(lease func() string) *Provider {
	if lease == nil {
		lease = func() string { return "" }
	}
	config := Config{}.withDefaults()
	config.Seeds = nil
	return &Provider{config: config, lease: lease}
}

func (c Config) withDefaults() Config {
	if len(c.Seeds) == 0 && c.Bind == "" {
		c.Seeds = []string{DefaultSeed}
	}
	c.ProbeInterval = cmp.Or(c.ProbeInterval, 250*time.Millisecond)
	c.Suspicion = cmp.Or(c.Suspicion, 3*c.ProbeInterval)
	c.GossipInterval = cmp.Or(c.GossipInterval, 50*time.Millisecond)
	c.JoinRetry = cmp.Or(c.JoinRetry, time.Second)
	c.JoinTimeout = cmp.Or(c.JoinTimeout, 5*time.Second)
	return c
}

// faults are all that is wrong with c, whatever the network.
func (c Config) faults() []error {
	var faults []error
	for _, seed := range c.Seeds {
		faults = append(faults, faultyEndpoint("seed", seed, false))
	}
	if c.Bind != "" {
		faults = append(faults, faultyEndpoint("Bind", c.Bind, true))
	}
	if c.Advertise != "" {
		faults = append(faults, faultyEndpoint("Advertise", c.Advertise, false))
	}
	for _, d := range []struct {
		name string
		time.Duration
	}{
		{"ProbeInterval", c.ProbeInterval}, {"Suspicion", c.Suspicion}, {"GossipInterval", c.GossipInterval},
		{"JoinRetry", c.JoinRetry}, {"JoinTimeout", c.JoinTimeout},
	} {
		if d.Duration < 0 {
			faults = append(faults, fmt.Errorf("automanaged: %s is %v; make it longer than 0, or leave it 0 for the default",
				d.name, d.Duration))
		}
	}
	switch len(c.SecretKey) {
	case 0, 16, 24, 32:
	default:
		faults = append(faults, fmt.Errorf("automanaged: SecretKey has %d bytes; AES takes 16, 24 or 32", len(c.SecretKey)))
	}
	return faults
}

// faultyEndpoint says what is wrong with an address, or nil.
func faultyEndpoint(what, address string, bind bool) error {
	host, digits, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("automanaged: %s %q is no address; write host:port, such as 10.0.0.1:6330: %w", what, address, err)
	}
	port, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || port == 0 && !bind {
		return fmt.Errorf("automanaged: the port of %s %q is not a number from 1 to 65535", what, address)
	}
	if ip, err := netip.ParseAddr(host); !bind && (host == "" || err == nil && ip.IsUnspecified()) {
		return fmt.Errorf("automanaged: nobody can reach %s %q; name one address of its host", what, address)
	}
	return nil
}

// Check implements cluster.Checker: it reports every fault of the
// configuration, and if there is none, that this host has no seed of its own
// and none answers within JoinTimeout.
func (p *Provider) Check(ctx context.Context, network remote.Network) error {
	if p.lease != nil {
		return nil
	}
	if err := errors.Join(p.config.faults()...); err != nil {
		return err
	}
	if bind := p.config.Bind; bind != "" {
		l, err := network.Listen(ctx, bind)
		if err != nil {
			return &BindError{Address: bind, Err: err}
		}
		defer l.Close() // after reach: a seed that is this node answers
	}
	return reach(ctx, network, p.config)
}

// leases are the endpoints that are alive, by cluster.
type leases struct {
	mu        sync.Mutex
	endpoints map[string][]netip.AddrPort // guarded by mu
}

func (l *leases) add(name string, endpoint netip.AddrPort) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.endpoints == nil {
		l.endpoints = map[string][]netip.AddrPort{}
	}
	l.endpoints[name] = append(l.endpoints[name], endpoint)
}

func (l *leases) drop(name string, endpoint netip.AddrPort) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.endpoints[name] = slices.DeleteFunc(l.endpoints[name], func(e netip.AddrPort) bool { return e == endpoint })
	if len(l.endpoints[name]) == 0 {
		delete(l.endpoints, name)
	}
}

// of returns the endpoints of a cluster as seeds.
func (l *leases) of(name string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var seeds []string
	for _, e := range l.endpoints[name] {
		seeds = append(seeds, e.String())
	}
	return seeds
}

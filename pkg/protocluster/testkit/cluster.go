package testkit

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/test"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/disthash"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

// settleTime bounds how long, in virtual time, a cluster may take to agree.
const settleTime = time.Minute

// Cluster is a cluster of nodes in one bubble, over a Network and an InMemAgent
// that the test can break. Nodes are numbered from 0 in the order in which they
// started; a number stays with its node after its end. Its methods are for the
// test's goroutine.
type Cluster struct {
	Network *Network
	Agent   *test.InMemAgent

	t      testing.TB
	config clusterConfig
	nodes  []*Node
	ending sync.WaitGroup
}

// Node is one node of a Cluster.
type Node struct {
	*cluster.Cluster

	host string
	id   string
	gone bool
}

// ClusterOption sets one property of a Cluster.
type ClusterOption func(*clusterConfig)

type clusterConfig struct {
	kinds  []cluster.Kind
	ttl    time.Duration
	lookup cluster.IdentityLookup
	adapt  []func(node int, c *cluster.Config) *cluster.Config
	logger *slog.Logger
}

// WithKinds has every member host those kinds.
func WithKinds(kinds ...cluster.Kind) ClusterOption {
	return func(c *clusterConfig) { c.kinds = append(c.kinds, kinds...) }
}

// WithTTL sets how soon a member that fell silent is dropped; 0 means 3 s.
func WithTTL(d time.Duration) ClusterOption { return func(c *clusterConfig) { c.ttl = d } }

// WithLookup sets where identities live; disthash by default.
func WithLookup(l cluster.IdentityLookup) ClusterOption {
	return func(c *clusterConfig) { c.lookup = l }
}

// WithConfig has f adapt the configuration of each node before it starts.
func WithConfig(f func(node int, c *cluster.Config) *cluster.Config) ClusterOption {
	return func(c *clusterConfig) { c.adapt = append(c.adapt, f) }
}

// WithClusterLogger sets where the nodes log; nowhere by default.
func WithClusterLogger(l *slog.Logger) ClusterOption { return func(c *clusterConfig) { c.logger = l } }

// Run calls f in a bubble of testing/synctest with a cluster of n members that
// see each other, and closes whatever runs of it in the end. A goroutine that is
// left over fails the test.
func Run(t *testing.T, n int, f func(t *testing.T, c *Cluster), opts ...ClusterOption) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := NewCluster(t, n, opts...)
		defer c.Close()
		f(t, c)
	})
}

// NewCluster is Run for tests that have a bubble: it returns once the n members
// see each other. End it with Close.
func NewCluster(t testing.TB, n int, opts ...ClusterOption) *Cluster {
	t.Helper()
	c := &Cluster{Network: NewNetwork(), Agent: test.NewInMemAgent(), t: t}
	c.config = clusterConfig{lookup: disthash.New(), logger: slog.New(slog.DiscardHandler)}
	for _, opt := range opts {
		opt(&c.config)
	}
	for range n {
		c.Add()
	}
	c.AwaitMembers(n)
	return c
}

// Node returns the node of that number.
func (c *Cluster) Node(i int) *Node { return c.nodes[i] }

// Nodes returns the nodes that have not ended.
func (c *Cluster) Nodes() []*Node {
	return slices.DeleteFunc(slices.Clone(c.nodes), func(n *Node) bool { return n.gone })
}

// Add starts one more member and returns it once it is up in its own view.
func (c *Cluster) Add(opts ...cluster.Option) *Node {
	c.t.Helper()
	return c.start((*cluster.Cluster).Join, opts)
}

// AddClient is Add for a client.
func (c *Cluster) AddClient(opts ...cluster.Option) *Node {
	c.t.Helper()
	return c.start((*cluster.Cluster).Connect, opts)
}

func (c *Cluster) start(begin func(*cluster.Cluster, context.Context) error, opts []cluster.Option) *Node {
	c.t.Helper()
	n := c.New(opts...)
	ctx, cancel := context.WithTimeout(c.t.Context(), settleTime)
	defer cancel()
	if err := begin(n.Cluster, ctx); err != nil {
		c.t.Fatalf("start of node %d: %v", len(c.nodes)-1, err)
	}
	return n
}

// New returns a node with the next number and a host of its own that has not
// been started.
func (c *Cluster) New(opts ...cluster.Option) *Node {
	n := c.node(len(c.nodes), opts)
	c.nodes = append(c.nodes, n)
	return n
}

// Restart starts a node that was killed or crashed anew, at its old address. It
// takes the number over.
func (c *Cluster) Restart(i int, opts ...cluster.Option) *Node {
	c.t.Helper()
	c.Network.Restart(c.nodes[i].host)
	c.nodes[i] = c.node(i, opts)
	ctx, cancel := context.WithTimeout(c.t.Context(), settleTime)
	defer cancel()
	if err := c.nodes[i].Join(ctx); err != nil {
		c.t.Fatalf("restart of node %d: %v", i, err)
	}
	return c.nodes[i]
}

func (c *Cluster) node(i int, opts []cluster.Option) *Node {
	host := fmt.Sprintf("10.0.0.%d", i+1)
	provider := test.NewTestProvider(c.Agent, test.WithTTL(c.config.ttl))
	config := cluster.Configure("testkit", provider, c.config.lookup,
		remote.Configure(host, nodePort, remote.WithNetwork(c.Network.Host(host))), cluster.WithKinds(c.config.kinds...)).With(opts...)
	for _, adapt := range c.config.adapt {
		config = adapt(i, config)
	}
	system := actor.NewSystem(actor.WithLogger(c.config.logger))
	return &Node{Cluster: cluster.New(system, config), host: host, id: system.ID()}
}

// Leave has a node leave, for a minute at most.
func (c *Cluster) Leave(i int) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), settleTime)
	defer cancel()
	if err := c.nodes[i].Leave(ctx); err != nil {
		c.t.Errorf("leave of node %d: %v", i, err)
	}
	c.nodes[i].gone = true
}

// Kill ends a node's process, as SIGKILL does: connections break at once, and the
// provider learns nothing until the member's time to live is over.
func (c *Cluster) Kill(i int) { c.end(i, c.Network.Kill) }

// Crash takes a node's machine away: connections stall instead of breaking.
func (c *Cluster) Crash(i int) { c.end(i, c.Network.Crash) }

func (c *Cluster) end(i int, fault func(host string)) {
	n := c.nodes[i]
	fault(n.host)
	c.Agent.Cut(n.id)
	c.Agent.Store().Crash(n.id)
	n.gone = true
	c.ending.Go(func() { _ = n.Close() }) // what is left of it reaches nothing, so it cannot end well
}

// Pause keeps a node from the network and from the provider, without breaking
// connections, until Resume. Its goroutines and timers go on.
func (c *Cluster) Pause(i int) {
	c.Network.Pause(c.nodes[i].host)
	c.Agent.Cut(c.nodes[i].id)
}

// Resume undoes Pause.
func (c *Cluster) Resume(i int) {
	c.Network.Resume(c.nodes[i].host)
	c.Agent.Restore(c.nodes[i].id)
}

// Partition cuts two nodes off from each other; the provider goes on to see both.
func (c *Cluster) Partition(i, j int) { c.Network.Partition(c.nodes[i].host, c.nodes[j].host) }

// Heal undoes Partition.
func (c *Cluster) Heal(i, j int) { c.Network.Heal(c.nodes[i].host, c.nodes[j].host) }

// AwaitMembers waits until every node that runs sees exactly n members, all up.
func (c *Cluster) AwaitMembers(n int) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), settleTime)
	defer cancel()
	for i, node := range c.nodes {
		if !node.gone && !sees(ctx, node, n) {
			c.t.Fatalf("node %d sees %v, want %d members that are up", i, node.View().Members, n)
		}
	}
}

func sees(ctx context.Context, node *Node, n int) bool {
	down := func(m cluster.Member) bool { return m.Status != cluster.Up }
	for view := range node.Views(ctx) {
		if len(view.Members) == n && !slices.ContainsFunc(view.Members, down) {
			return true
		}
	}
	return false
}

// NodeOf returns the node that hosts id, which it activates, by what the node
// asked says.
func (c *Cluster) NodeOf(asked *Node, id cluster.Identity) int {
	c.t.Helper()
	pid, err := asked.Locate(c.t.Context(), id)
	if err != nil {
		c.t.Fatalf("Locate(%s): %v", id, err)
	}
	return slices.IndexFunc(c.nodes, func(n *Node) bool { return NodeAddress(slices.Index(c.nodes, n)) == pid.Address })
}

// Close ends all nodes at once and waits until they have ended.
func (c *Cluster) Close() {
	for _, n := range c.nodes {
		if !n.gone {
			n.gone = true
			c.ending.Go(func() { _ = n.Close() }) // the test may have broken what it needs
		}
	}
	c.ending.Wait()
}

const nodePort = 8090

// NodeAddress is where the node of that number listens: "10.0.0.1:8090" is the
// first.
func NodeAddress(i int) string { return fmt.Sprintf("10.0.0.%d:%d", i+1, nodePort) }

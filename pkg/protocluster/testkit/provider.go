package testkit

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

// ProviderSetup is what TestProvider knows of a provider, made anew, inside the
// bubble, for each of its tests.
type ProviderSetup struct {
	// Provider returns the provider of a node, which announces NodeAddress of
	// the same number. Node 0 starts first, and is up before others start.
	Provider func(node int) cluster.Provider
	// Cut is what, beside the network, keeps a member from the others, and
	// Restore undoes it. Nil: nothing.
	Cut, Restore func(m cluster.Member)
	// Settle is how soon everybody knows of a join, a leave or another
	// status.
	Settle time.Duration
	// Expiry is how soon everybody has dropped a member that fell silent, and
	// taken back one that is heard of again. It takes longer than Settle.
	Expiry time.Duration
}

// TestProvider tests what every cluster.Provider promises, without a cluster.
func TestProvider(t *testing.T, setup func(t testing.TB) ProviderSetup) {
	tests := []struct {
		name string
		run  func(s *providerSuite)
	}{
		{"the first report has the node itself", firstReport},
		{"nodes agree on each other", agreement},
		{"a status reaches everybody", statuses},
		{"a client sees and is not seen", clients},
		{"a leave is known at once", leaves},
		{"a crash is known when the time is up", crashes},
		{"a short cut loses nobody", shortCut},
		{"who was cut off comes back", longCut},
		{"a restart is another member", restarts},
		{"clusters of two names do not mix", names},
		{"one value serves two nodes", sharing},
		{"Run ends without a network", deafEnd},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &providerSuite{T: t, network: NewNetwork(), ProviderSetup: setup(t)}
				defer s.close()
				test.run(s)
			})
		})
	}
}

type providerSuite struct {
	*testing.T
	ProviderSetup
	network *Network
	nodes   []*providerNode
}

// providerNode is a cluster.Node without a cluster.
type providerNode struct {
	s       *providerSuite
	name    string
	client  bool
	host    *Host
	cancel  context.CancelFunc
	done    chan struct{} // closed when Run has returned err
	err     error
	crashed bool

	mu      sync.Mutex
	self    cluster.Member
	changed chan struct{}
	reports [][]cluster.Member
}

var _ cluster.Node = (*providerNode)(nil)

func (n *providerNode) ClusterName() string     { return n.name }
func (n *providerNode) Client() bool            { return n.client }
func (n *providerNode) Strict() bool            { return false }
func (n *providerNode) Network() remote.Network { return n.host }
func (n *providerNode) Logger() *slog.Logger    { return slog.New(slog.DiscardHandler) }

func (n *providerNode) Self() cluster.Member {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.self
}

func (n *providerNode) Changed() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.changed
}

func (n *providerNode) Report(members []cluster.Member) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.reports = append(n.reports, members)
}

func (n *providerNode) become(status cluster.Status) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.self.Status = status
	close(n.changed)
	n.changed = make(chan struct{})
}

// sees returns what was reported last, as lines in order.
func (n *providerNode) sees() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.reports) == 0 {
		return nil
	}
	return membership(n.reports[len(n.reports)-1])
}

func membership(members []cluster.Member) []string {
	lines := []string{}
	for _, m := range members {
		if m.Status != cluster.Down {
			lines = append(lines, fmt.Sprint(m))
		}
	}
	slices.Sort(lines)
	return lines
}

// start runs the provider of that number for a node at that number's address.
func (s *providerSuite) start(number int, adapt ...func(n *providerNode)) *providerNode {
	host, _, _ := net.SplitHostPort(NodeAddress(number))
	n := &providerNode{s: s, name: "shop", host: s.network.Host(host), done: make(chan struct{}), changed: make(chan struct{}),
		self: cluster.Member{ID: rand.Text(), Address: NodeAddress(number), Kinds: []string{"user", fmt.Sprint("kind-", number)}}}
	for _, f := range adapt {
		f(n)
	}
	s.nodes = append(s.nodes, n)
	ctx, cancel := context.WithCancel(s.Context())
	n.cancel = cancel
	go func() {
		defer close(n.done)
		n.err = s.Provider(number).Run(ctx, n)
	}()
	return n
}

// up starts that many nodes, one after the other, which see each other then.
func (s *providerSuite) up(count int) []*providerNode {
	s.Helper()
	var nodes []*providerNode
	for i := range count {
		n := s.start(i)
		Advance(s.Settle)
		n.become(cluster.Up)
		Advance(s.Settle)
		nodes = append(nodes, n)
	}
	s.agree(nodes, nodes)
	return nodes
}

// agree checks that each of the nodes sees the members and nobody else.
func (s *providerSuite) agree(nodes, members []*providerNode) {
	s.Helper()
	var all []cluster.Member
	for _, m := range members {
		all = append(all, m.Self())
	}
	for _, n := range nodes {
		if got, want := n.sees(), membership(all); !slices.Equal(got, want) {
			s.Fatalf("%s sees %v, want %v", n.self.Address, got, want)
		}
	}
}

// cut keeps n from everybody; only what it holds itself goes on.
func (s *providerSuite) cut(n *providerNode) {
	s.network.Isolate(n.host.Name())
	if s.Cut != nil {
		s.Cut(n.Self())
	}
}

func (s *providerSuite) restore(n *providerNode) {
	s.network.HealAll()
	if s.Restore != nil {
		s.Restore(n.Self())
	}
}

// crash takes n's machine away; what runs there is ended unseen.
func (s *providerSuite) crash(n *providerNode) {
	s.network.Crash(n.host.Name())
	if s.Cut != nil {
		s.Cut(n.Self())
	}
	n.crashed = true
	n.cancel()
}

// leave ends Run and waits until it has returned.
func (s *providerSuite) leave(n *providerNode) {
	s.Helper()
	n.cancel()
	<-n.done
	if n.err != nil && !n.crashed {
		s.Errorf("Run = %v, want nil after its context ended", n.err)
	}
}

func (s *providerSuite) close() {
	for _, n := range s.nodes {
		s.leave(n)
	}
}

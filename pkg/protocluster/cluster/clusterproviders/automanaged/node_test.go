package automanaged_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/internal/ports"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

// patience bounds a wait for something that should happen.
const patience = 20 * time.Second

// node is a cluster.Node without a cluster.
type node struct {
	name    string
	client  bool
	network remote.Network
	logger  *slog.Logger

	cancel context.CancelFunc
	done   chan struct{} // Run has returned
	err    error         // what, then

	mu       sync.Mutex
	self     cluster.Member // guarded by mu, as is all below
	changed  chan struct{}
	members  []cluster.Member
	reports  int
	reported chan struct{}
}

var _ cluster.Node = (*node)(nil)

type option func(*node)

func inCluster(name string) option   { return func(n *node) { n.name = name } }
func asClient() option               { return func(n *node) { n.client = true } }
func hosting(kinds ...string) option { return func(n *node) { n.self.Kinds = kinds } }
func withID(id string) option        { return func(n *node) { n.self.ID = id } }
func logTo(h slog.Handler) option    { return func(n *node) { n.logger = slog.New(h) } }

// run has provider serve a node at address until the test ends.
func run(t testing.TB, provider cluster.Provider, network remote.Network, address string, options ...option) *node {
	t.Helper()
	n := &node{
		name: "shop", network: network, logger: slog.New(slog.DiscardHandler),
		self:    cluster.Member{ID: rand.Text(), Address: address, Kinds: []string{"user"}},
		changed: make(chan struct{}), reported: make(chan struct{}), done: make(chan struct{}),
	}
	for _, o := range options {
		o(n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	n.cancel = cancel
	go func() {
		defer close(n.done)
		n.err = provider.Run(ctx, n)
	}()
	t.Cleanup(func() { n.leave(t) })
	return n
}

func (n *node) ClusterName() string     { return n.name }
func (n *node) Client() bool            { return n.client }
func (n *node) Strict() bool            { return false }
func (n *node) Network() remote.Network { return n.network }
func (n *node) Logger() *slog.Logger    { return n.logger }

func (n *node) Self() cluster.Member {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.self
}

func (n *node) Changed() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.changed
}

func (n *node) Report(members []cluster.Member) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.members = members
	n.reports++
	close(n.reported)
	n.reported = make(chan struct{})
}

// become changes what the node announces.
func (n *node) become(change func(*cluster.Member)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change(&n.self)
	close(n.changed)
	n.changed = make(chan struct{})
}

// leave ends Run and waits for it.
func (n *node) leave(t testing.TB) {
	t.Helper()
	n.cancel()
	<-n.done
	if n.err != nil && t.Context().Err() == nil {
		t.Errorf("Run = %v, want nil", n.err)
	}
}

// failed waits for the error with which Run ends by itself.
func (n *node) failed(t testing.TB) error {
	t.Helper()
	select {
	case <-n.done:
	case <-time.After(patience):
		t.Fatalf("Run has not failed after %v", patience)
	}
	err := n.err
	n.err = nil
	return err
}

// sees waits until the node's view holds exactly these nodes, as they are.
func (n *node) sees(t testing.TB, others ...*node) {
	t.Helper()
	var want []cluster.Member
	for _, o := range others {
		want = append(want, o.Self())
	}
	slices.SortFunc(want, func(a, b cluster.Member) int { return strings.Compare(a.ID, b.ID) })
	n.until(t, fmt.Sprintf("a view of %v", want), func(members []cluster.Member) bool {
		return slices.EqualFunc(members, want, func(a, b cluster.Member) bool {
			return a.ID == b.ID && a.Address == b.Address && a.Status == b.Status && slices.Equal(a.Kinds, b.Kinds)
		})
	})
}

// until waits for a view.
func (n *node) until(t testing.TB, what string, ok func([]cluster.Member) bool) {
	t.Helper()
	limit := time.After(patience)
	for {
		n.mu.Lock()
		members, reports, next := n.members, n.reports, n.reported
		n.mu.Unlock()
		if reports > 0 && ok(members) {
			return
		}
		select {
		case <-next:
		case <-n.done:
			t.Fatalf("Run returned %v, want %s", n.err, what)
		case <-limit:
			t.Fatalf("view after %d reports and %v = %v, want %s", reports, patience, members, what)
		}
	}
}

// view is what was reported last, and how often there was a report.
func (n *node) view() ([]cluster.Member, int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.members, n.reports
}

// allSee waits until each of the nodes sees all of them.
func allSee(t testing.TB, nodes ...*node) {
	t.Helper()
	for _, n := range nodes {
		n.sees(t, nodes...)
	}
}

// free are endpoints of this machine that nobody else listens at.
func free(t testing.TB, n int) []string {
	t.Helper()
	var endpoints []string
	for _, port := range ports.Reserve(t, n) {
		endpoints = append(endpoints, fmt.Sprint("127.0.0.1:", port))
	}
	return endpoints
}

func mentions(t testing.TB, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("got no error, want one that mentions %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not mention %q", err, part)
		}
	}
}

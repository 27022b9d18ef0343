package consul_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/consul"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/consul/consultest"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

const (
	folder  = "protocluster/shop/"
	viewKey = folder + "view"
)

var member = cluster.Member{ID: "m-1", Address: "10.0.0.1:8090", Kinds: []string{"cart", "user"}, Status: cluster.Up}

// TestMain forgets the environment's Consul, which is not the tests'.
func TestMain(m *testing.M) {
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "CONSUL_") && name != "CONSUL_BIN" {
			_ = os.Unsetenv(name)
		}
	}
	os.Exit(m.Run())
}

// node is a cluster.Node that has only what a store asks for.
type node struct {
	name    string
	client  bool
	network remote.Network
	log     *journal
}

var _ cluster.Node = node{}

func (n node) ClusterName() string      { return n.name }
func (n node) Self() cluster.Member     { return member }
func (n node) Client() bool             { return n.client }
func (n node) Strict() bool             { return false }
func (n node) Changed() <-chan struct{} { return nil }
func (n node) Report([]cluster.Member)  {}
func (n node) Network() remote.Network  { return n.network }
func (n node) Logger() *slog.Logger     { return slog.New(slog.NewTextHandler(n.log, nil)) }

// journal keeps what is logged.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

// lines counts what was logged that has the words in it.
func (j *journal) lines(words string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := 0
	for line := range bytes.Lines(j.text.Bytes()) {
		if bytes.Contains(line, []byte(words)) {
			n++
		}
	}
	return n
}

// bench is a fake Consul at consul:8500, and a node's store on it.
type bench struct {
	*testing.T
	*consultest.Server
	network *testkit.Network
	link    *consultest.Link
	node    node
	store   cluster.Store
}

// inBubble runs f with a bench; the store is closed, which has to succeed.
func inBubble(t *testing.T, f func(t *testing.T, b *bench), opts ...consul.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{T: t, network: testkit.NewNetwork()}
		b.Server = serve(t, b.network)
		b.link = &consultest.Link{Network: b.network.Host("node")}
		b.node = node{name: "shop", network: b.link, log: new(journal)}
		b.store = open(t, b.node, append([]consul.Option{consul.WithAddress("consul:8500")}, opts...)...)
		f(t, b)
		b.close()
	})
}

func (b *bench) close() {
	b.Helper()
	if err := b.store.Close(b.within(time.Second)); err != nil {
		b.Errorf("Close = %v", err)
	}
}

// within is a context for one call.
func (b *bench) within(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(b.Context(), d)
	b.Cleanup(cancel)
	return ctx
}

// joiners are what a read shows.
func (b *bench) joiners() []string {
	b.Helper()
	r, err := b.store.Read(b.within(time.Second))
	if err != nil {
		b.Fatal(err)
	}
	var all []string
	for _, j := range r.Joiners {
		all = append(all, string(j))
	}
	return all
}

func open(t testing.TB, n node, opts ...consul.Option) cluster.Store {
	t.Helper()
	store, err := consul.New(opts...).OpenStore(n)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// serve has a fake Consul listen at consul:8500 of the network.
func serve(t testing.TB, network *testkit.Network) *consultest.Server {
	t.Helper()
	fake := consultest.NewServer()
	serveWith(t, network, fake)
	return fake
}

func serveWith(t testing.TB, network *testkit.Network, handler http.Handler) {
	t.Helper()
	listener, err := network.Host("consul").Listen(t.Context(), ":8500")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // it ends with Close
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
}

// links returns each node's Link, the same each time.
func links(network func(node int) remote.Network) func(node int) *consultest.Link {
	all := map[int]*consultest.Link{}
	return func(node int) *consultest.Link {
		if all[node] == nil {
			all[node] = &consultest.Link{Network: network(node)}
		}
		return all[node]
	}
}

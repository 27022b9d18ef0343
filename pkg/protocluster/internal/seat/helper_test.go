package seat_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/seatpb"
	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
	"github.com/protocluster/workshop/pkg/protocluster/internal/seat"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// identities are what the hosts of a test hold.
const identities = 16

// world is a cluster in a bubble: a network whose links take a millisecond, a
// store whose answers take four, and a referee who looks on.
type world struct {
	testing.TB
	*testkit.Network
	store *testkit.ViewStore
	nodes []*node // all there were
	wire  wire
	logs  logs
}

// node is one process.
type node struct {
	*seat.Seat
	w       *world
	name    string
	host    *host
	remote  *remote.Remote
	system  *actor.System
	service *seat.Service
	cancel  context.CancelFunc
	done    chan error                          // takes what Run returned
	answers atomic.Pointer[func(*seatpb.Frame)] // changes what it sends back; nil: nothing does
	dead    bool                                // killed
}

// inWorld runs a test in a bubble. When it is over, all nodes end.
func inWorld(t *testing.T, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{TB: t, Network: testkit.NewNetwork(), store: testkit.NewViewStore()}
		w.Shape(testkit.Link{Latency: time.Millisecond})
		w.store.Delay(4 * time.Millisecond)
		defer func() {
			if t.Failed() {
				t.Log(w.logs.String())
			}
			w.HealAll()
			w.store.Heal()
			for _, n := range w.nodes {
				n.stop()
			}
		}()
		f(w)
	})
}

// start starts a node on a host of that name.
func (w *world) start(name string, adapt ...func(*seat.Config)) *node {
	w.Helper()
	n := w.prepare(name, adapt...)
	n.run()
	return n
}

// prepare makes a node whose seat is not taken yet.
func (w *world) prepare(name string, adapt ...func(*seat.Config)) *node {
	w.Helper()
	n := &node{w: w, name: name, service: seat.NewService(), done: make(chan error, 1)}
	n.host = &host{node: n}
	logger := slog.New(slog.NewTextHandler(&w.logs, nil)).With("node", name)
	n.system = actor.NewSystem(actor.WithLogger(logger))
	n.remote = remote.New(n.system, remote.Configure(name, 4000, remote.WithNetwork(w.Host(name)), remote.WithService(n.service.Desc(), tap{n.service, n})))
	if err := n.remote.Start(w.Context()); err != nil {
		w.Fatal(err)
	}
	store, err := w.store.For(name).OpenStore(user{name: "shop"})
	if err != nil {
		w.Fatal(err)
	}
	config := seat.Config{
		Name: "shop", Self: sealedview.Member{ID: fmt.Sprint(name, len(w.nodes)), Address: n.remote.Address()},
		Store: adapter{Store: store}, Conflict: cluster.ErrConflict, Host: n.host, Service: n.service,
		Dial: n.remote.Dial, Verify: n.remote.Verify, Logger: logger,
	}
	for _, f := range adapt {
		f(&config)
	}
	if n.Seat, err = seat.New(config); err != nil {
		w.Fatal(err)
	}
	w.nodes = append(w.nodes, n)
	return n
}

func (n *node) run() {
	ctx, cancel := context.WithCancel(n.w.Context())
	n.cancel = cancel
	go func() { n.done <- n.Run(ctx) }()
}

// stop ends a node, and its process.
func (n *node) stop() {
	n.w.Helper()
	if n.cancel != nil {
		n.cancel()
		if err := <-n.done; err != nil {
			n.w.Errorf("Run of %s = %v", n.name, err)
		}
		n.cancel = nil
	}
	n.end()
}

// end ends what is left of a process.
func (n *node) end() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	_ = n.remote.Stop(ctx)
	if err := n.system.Shutdown(ctx); err != nil {
		n.w.Error(err)
	}
}

// kill ends the process of a node without a word: whatever still runs of it
// reaches nothing any more.
func (n *node) kill() {
	n.w.Kill(n.name)
	n.w.store.Crash(n.name)
	n.dead = true
}

// wire counts what goes over the streams of all nodes.
type wire struct {
	streams, frames, renewals atomic.Int64 // streams that are open, and frames of both ways
}

// tap has the wire count what a node's service sees.
type tap struct {
	*seat.Service
	node *node
}

func (t tap) Tell(stream seatpb.Seat_TellServer) error {
	t.node.w.wire.streams.Add(1)
	defer t.node.w.wire.streams.Add(-1)
	return t.Service.Tell(tapped{stream, t.node})
}

type tapped struct {
	seatpb.Seat_TellServer
	node *node
}

func (t tapped) Send(f *seatpb.Frame) error {
	if change := t.node.answers.Load(); change != nil {
		(*change)(f)
	}
	t.node.w.wire.count(f)
	return t.Seat_TellServer.Send(f)
}

func (t tapped) Recv() (*seatpb.Frame, error) {
	f, err := t.Seat_TellServer.Recv()
	if err == nil {
		t.node.w.wire.count(f)
	}
	return f, err
}

func (w *wire) count(f *seatpb.Frame) {
	w.frames.Add(1)
	if f.GetRenew() != nil {
		w.renewals.Add(1)
	}
}

// adapter is a cluster.Store as a seat uses it.
type adapter struct {
	cluster.Store
	forbidden *atomic.Bool  // to announce anything; nil: it is not
	late      time.Duration // each write happens, even if nobody waits for it any more
}

func (a adapter) Write(ctx context.Context, data []byte, version uint64) (uint64, error) {
	if a.late > 0 {
		<-time.After(a.late)
		ctx = context.WithoutCancel(ctx)
	}
	return a.Store.Write(ctx, data, version)
}

func (a adapter) Announce(ctx context.Context, id string, data []byte) error {
	if a.forbidden != nil && a.forbidden.Load() {
		return errors.New("forbidden")
	}
	return a.Store.Announce(ctx, id, data)
}

// user is what a view store asks its node for.
type user struct {
	cluster.Node
	name string
}

func (u user) ClusterName() string { return u.name }

// host holds the identities that its seat may claim, and lets go of what a view
// assigns to others.
type host struct {
	node *node

	mu     sync.Mutex
	events []string
	held   map[int]uint64 // epochs in which identities were claimed
	slow   bool           // it does not let go
	view   *sealedview.View
}

func (h *host) Seated(self string, v *sealedview.View) {
	h.note("seated %s %s", self, ids(v))
	h.mu.Lock()
	h.view = v
	slow := h.slow
	for k := range h.held {
		if owner(v, k) != self && !slow {
			delete(h.held, k)
		}
	}
	m, _ := v.Member(self)
	leaving := m.State == sealedview.Leaving
	h.mu.Unlock()
	if slow {
		return
	}
	h.node.Released(v.Stamp, "")
	if leaving {
		h.node.Drained()
	}
}

func (h *host) Unseated(self string, v *sealedview.View) {
	h.note("unseated %s %s", self, ids(v))
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held, h.view = nil, nil
}

func (h *host) Lapsed() { h.note("lapsed") }

func (h *host) Regained() { h.note("regained") }

func (h *host) note(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, fmt.Sprintf(format, args...))
}

// happened is what the host was told since it was asked last.
func (h *host) happened() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	events := h.events
	h.events = nil
	return events
}

// claim has the host activate all that it may.
func (h *host) claim() {
	for k := range identities {
		h.mu.Lock()
		_, held := h.held[k]
		h.mu.Unlock()
		if held {
			continue
		}
		h.node.Claim(func(v *sealedview.View) string { return owner(v, k) }, func(epoch uint64) {
			h.mu.Lock()
			defer h.mu.Unlock()
			if h.held == nil {
				h.held = make(map[int]uint64)
			}
			h.held[k] = epoch
		})
	}
}

// dispatches are the identities whose messages the host may handle now.
func (h *host) dispatches() []int {
	h.mu.Lock()
	defer h.mu.Unlock()
	var held []int
	for k := range h.held {
		if h.node.Serves() && !h.node.dead {
			held = append(held, k)
		}
	}
	return held
}

// owner is the active member that a view assigns an identity to. The referee asks
// it thousands of times in a second of the bubble, so it formats nothing.
func owner(v *sealedview.View, identity int) (owner string) {
	best := uint64(0)
	digits := strconv.Itoa(identity)
	for _, m := range v.Members {
		if m.State != sealedview.Active {
			continue
		}
		h := fnv.New64a()
		_, _ = h.Write([]byte(digits + m.ID + digits))
		if score := h.Sum64() * 0x9e3779b97f4a7c15; score >= best {
			owner, best = m.ID, score
		}
	}
	return owner
}

// pass lets time pass. All along, hosts claim what they may, and no identity is
// ever served twice.
func (w *world) pass(d time.Duration) {
	w.Helper()
	const step = 10 * time.Millisecond
	for ; d > 0; d -= step {
		testkit.Advance(min(d, step))
		w.referee()
	}
}

func (w *world) referee() (served int) {
	w.Helper()
	by := map[int]string{}
	for _, n := range w.nodes {
		if n.cancel == nil || n.dead {
			continue
		}
		n.host.claim()
	}
	for _, n := range w.nodes {
		for _, k := range n.host.dispatches() {
			if other := by[k]; other != "" {
				w.Fatalf("identity %d is served by %s and %s\n%s", k, other, n.name, w.logs.String())
			}
			by[k] = n.name
		}
	}
	return len(by)
}

// until lets time pass until is says so, and returns how long that took.
func (w *world) until(within time.Duration, what string, is func() bool) time.Duration {
	w.Helper()
	begin := time.Now()
	for !is() {
		if time.Since(begin) > within {
			w.Fatalf("not within %v: %s\n%s\n%s", within, what, w.describe(), w.logs.String())
		}
		w.pass(10 * time.Millisecond)
	}
	return time.Since(begin)
}

// closes waits until a channel is closed.
func (w *world) closes(c <-chan struct{}) {
	w.Helper()
	select {
	case <-c:
	case <-time.After(time.Second):
		w.Fatalf("the channel is not closed\n%s", w.describe())
	}
}

// together waits until exactly these nodes are in one view and serve everything.
func (w *world) together(within time.Duration, nodes ...*node) time.Duration {
	w.Helper()
	return w.until(within, "all in one view, serving", func() bool {
		_, view := nodes[0].View()
		if view == nil || len(view.Members) != len(nodes) {
			return false
		}
		for _, n := range nodes {
			self, v := n.View()
			if v == nil || v.Stamp != view.Stamp || !v.Has(self) || !n.Serves() {
				return false
			}
		}
		return w.referee() == identities
	})
}

// three starts three nodes and waits until they are together.
func (w *world) three() []*node {
	w.Helper()
	nodes := []*node{w.start("a"), w.start("b"), w.start("c")}
	w.together(10*time.Second, nodes...)
	w.pass(3 * time.Second)
	for _, n := range nodes {
		n.host.happened()
	}
	return nodes
}

func (w *world) describe() string {
	var b strings.Builder
	for _, n := range w.nodes {
		self, v := n.View()
		fmt.Fprintf(&b, "%s: %s in %s, serves %t, dead %t, %v\n", n.name, self, ids(v), n.Serves(), n.dead, n.host.dispatches())
	}
	return b.String()
}

// ids are the members of a view, oldest first; those who leave in brackets.
func ids(v *sealedview.View) string {
	if v == nil {
		return "none"
	}
	var names []string
	for _, m := range v.Members {
		if m.State == sealedview.Leaving {
			m.ID = "(" + m.ID + ")"
		}
		names = append(names, m.ID)
	}
	return strings.Join(names, " ")
}

// counts are how often texts happened, whatever else did.
func counts(events []string, prefix string) (n int) {
	for _, e := range events {
		if strings.HasPrefix(e, prefix) {
			n++
		}
	}
	return n
}

// logs keeps what was logged.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// lines are those with that text in it.
func (l *logs) lines(text string) []string {
	return slices.DeleteFunc(strings.Split(l.String(), "\n"), func(line string) bool { return !strings.Contains(line, text) })
}

package automanaged_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/automanaged"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

// The tests of this file are the few that need the sockets of the operating
// system: TCP and UDP on 127.0.0.1.

func TestLoopbackLease(t *testing.T) {
	t.Parallel()
	provider := automanaged.NewWithLease(func() string { return "127.0.0.1:0" })
	a := run(t, provider, remote.TCP{}, "127.0.0.1:8091")
	b := run(t, provider, remote.TCP{}, "127.0.0.1:8092")
	allSee(t, a, b)
	a.leave(t)
	b.sees(t, b)
}

func TestLoopbackSeeds(t *testing.T) {
	t.Parallel()
	provider := automanaged.New(free(t, 2)...)
	var nodes []*node
	for i := range 3 {
		nodes = append(nodes, run(t, provider, remote.TCP{}, fmt.Sprintf("localhost:%d", 8091+i)))
	}
	allSee(t, nodes...)
	run(t, provider, remote.TCP{}, "client", asClient()).sees(t, nodes...)
	nodes[1].become(func(m *cluster.Member) { m.Status = cluster.Up })
	allSee(t, nodes...)
}

func TestLoopbackAnyAddress(t *testing.T) {
	t.Parallel()
	seed := free(t, 1)[0]
	_, port, _ := net.SplitHostPort(seed)
	first := automanaged.NewWith(automanaged.Config{Seeds: []string{"localhost:" + port}, Bind: "0.0.0.0:" + port})
	if err := first.Check(t.Context(), remote.TCP{}); err != nil {
		t.Errorf("Check = %v, want nil", err)
	}
	second := automanaged.NewWith(automanaged.Config{Seeds: []string{seed}, Bind: ":0", Advertise: ""})
	allSee(t, run(t, first, remote.TCP{}, "127.0.0.1:8091"), run(t, second, remote.TCP{}, "127.0.0.1:8092"))
}

func TestLoopbackLeavesNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	provider := automanaged.NewWithLease(func() string { return "127.0.0.1:0" })
	for range 2 {
		var nodes []*node
		for i := range 3 {
			nodes = append(nodes, run(t, provider, remote.TCP{}, fmt.Sprintf("127.0.0.1:%d", 8091+i)))
		}
		allSee(t, nodes...)
		for _, n := range nodes {
			n.leave(t)
		}
	}
	for limit := time.After(patience); runtime.NumGoroutine() > before; {
		select {
		case <-limit:
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, want %d as before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		default:
			runtime.Gosched() // those that have done their last bit of work
		}
	}
}

// lines is a slog.Handler that keeps what is logged.
type lines struct {
	slog.Handler
	mu   sync.Mutex
	text []string // guarded by mu
}

func (l *lines) Enabled(context.Context, slog.Level) bool { return true }

func (l *lines) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, r.Level.String()+" "+r.Message)
	return nil
}

func (l *lines) count(part string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, line := range l.text {
		if strings.Contains(line, part) {
			n++
		}
	}
	return n
}

// stranger is a memberlist node that announces whatever it is made of.
type stranger string

func (s stranger) NodeMeta(int) []byte           { return []byte(s) }
func (stranger) NotifyMsg([]byte)                {}
func (stranger) GetBroadcasts(int, int) [][]byte { return nil }
func (stranger) LocalState(bool) []byte          { return []byte("garbage") }
func (stranger) MergeRemoteState([]byte, bool)   {}

func TestLoopbackGarbageIsIgnored(t *testing.T) {
	t.Parallel()
	seed := free(t, 1)[0]
	log := &lines{Handler: slog.DiscardHandler}
	n := run(t, automanaged.New(seed), remote.TCP{}, "127.0.0.1:8091", logTo(log))
	n.sees(t, n)
	for i, meta := range []string{"\xff\x00", `{"v":1,"a":"nowhere","t":1}`, strings.Repeat("{", 512)} {
		config := memberlist.DefaultLocalConfig()
		config.Name, config.Label = fmt.Sprint("stranger-", i), "shop"
		config.BindAddr, config.BindPort = "127.0.0.1", 0
		config.Delegate, config.LogOutput = stranger(meta), io.Discard
		list, err := memberlist.Create(config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = list.Shutdown() })
		if _, err := list.Join([]string{seed}); err != nil {
			t.Fatal(err)
		}
		node := list.Members()[0]
		for _, peer := range list.Members() {
			if peer.Name == n.Self().ID {
				node = peer
			}
		}
		for _, note := range []string{"", "garbage", `{"ask":"AAAA"}`, `{"kinds":["a/b"]}`, `{"kinds":["unwanted"]}`} {
			if err := list.SendReliable(node, []byte(note)); err != nil {
				t.Fatal(err)
			}
		}
		if err := list.UpdateNode(patience); err != nil {
			t.Fatal(err)
		}
	}
	for _, network := range []string{"tcp", "udp"} {
		conn, err := net.Dial(network, seed)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for _, bytes := range []string{"\xf4", "\xf4\x04shop\xff\xff", "\xf4\xffshop", "GET / HTTP/1.1\r\n\r\n", "\x00\x00\xff\xff"} {
			_, _ = conn.Write([]byte(bytes)) // it may have hung up
		}
	}
	late := run(t, automanaged.New(seed), remote.TCP{}, "127.0.0.1:8092")
	allSee(t, n, late)
	for i := range 3 {
		if got := log.count(fmt.Sprintf(`WARN automanaged: node "stranger-%d" at 127.0.0.1:`, i)); got != 1 {
			t.Errorf("%d lines about stranger-%d, want 1:\n%s", got, i, strings.Join(log.text, "\n"))
		}
	}
}

//go:build integration

package consul_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/consul"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/consul/consultest"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// patience bounds a wait for something that should happen.
const patience = 20 * time.Second

func TestLive_ViewStore(t *testing.T) {
	agent := consultest.Start(t, consultest.Config{})
	testkit.TestLiveViewStore(t, func(t testing.TB) testkit.ViewStoreSetup {
		t.Helper()
		name := strings.ReplaceAll(t.Name(), "/", ".")
		key := "kv/protocluster/" + name + "/view"
		links := links(func(int) remote.Network { return remote.TCP{} })
		return testkit.ViewStoreSetup{
			Store:   func(int) cluster.ViewStore { return consul.New(consul.WithAddress(agent.Address)) },
			Network: func(node int) remote.Network { return links(node) },
			Name:    name,
			Overwrite: func(data []byte) {
				if data == nil {
					agent.Delete(key)
					return
				}
				agent.Put(key, data)
			},
			Cut:        func(node int) { links(node).Cut() },
			Heal:       func(node int) { links(node).Heal() },
			LoseAnswer: func(node int) { links(node).LoseAnswer() },
			Settle:     2 * time.Second,
			Linger:     15 * time.Second,
			Expiry:     35 * time.Second,
		}
	})
}

// live is a node's store on a real agent.
type live struct {
	testing.TB
	agent *consultest.Agent
	store cluster.Store
	log   *journal
}

func goLive(t testing.TB, agent *consultest.Agent, opts ...consul.Option) *live {
	t.Helper()
	l := &live{TB: t, agent: agent, log: new(journal)}
	l.store = open(t, node{name: "shop", network: remote.TCP{}, log: l.log}, append([]consul.Option{consul.WithAddress(agent.Address)}, opts...)...)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Second)
		defer cancel()
		_ = l.store.Close(ctx) // the agent may be gone
	})
	return l
}

func (l *live) within(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(l.Context(), d)
	l.Cleanup(cancel)
	return ctx
}

func (l *live) write(data string, version uint64) uint64 {
	l.Helper()
	now, err := l.store.Write(l.within(patience), []byte(data), version)
	if err != nil {
		l.Fatal(err)
	}
	return now
}

func (l *live) read() cluster.Record {
	l.Helper()
	r, err := l.store.Read(l.within(patience))
	if err != nil {
		l.Fatal(err)
	}
	return r
}

func (l *live) until(what string, is func() bool) {
	l.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for begin := time.Now(); !is(); <-tick.C {
		if time.Since(begin) > patience {
			l.Fatalf("%s did not happen; the node logged\n%s", what, l.log.text.String())
		}
	}
}

// What the session is made of is what Consul took, not what was sent.
func TestLive_Session(t *testing.T) {
	l := goLive(t, consultest.Start(t, consultest.Config{}))
	if err := l.store.Announce(l.within(patience), "a", []byte("a joins")); err != nil {
		t.Fatal(err)
	}
	var sessions []struct {
		TTL, Behavior string
		LockDelay     time.Duration
		NodeChecks    []string
	}
	if err := json.Unmarshal(l.agent.Get("session/list"), &sessions); err != nil || len(sessions) != 1 {
		t.Fatalf("sessions = %v, %v, want one", sessions, err)
	}
	s := sessions[0]
	if s.TTL != "15s" || s.Behavior != "delete" || s.LockDelay <= 0 || s.LockDelay > time.Millisecond || len(s.NodeChecks) != 0 {
		t.Errorf("session = %+v, want 15s, delete, at most 1ms, no checks", s)
	}
}

// The agent loses everything and counts from the beginning again.
func TestLive_NewConsul(t *testing.T) {
	l := goLive(t, consultest.Start(t, consultest.Config{}))
	version := l.write("one", 0)
	for range 200 {
		version = l.write("more", version)
	}
	for name, err := range map[string]error{
		"Announce": l.store.Announce(l.within(patience), "a", []byte("a joins")), "Show": l.store.Show(l.within(patience), member),
	} {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	before := l.read()
	waited := make(chan error, 1)
	go func() { waited <- l.store.Wait(l.within(time.Minute), before) }()
	l.agent.Kill()
	if err := <-waited; err == nil || !strings.Contains(err.Error(), l.agent.Address) {
		t.Errorf("Wait while Consul dies = %v, want an error with its address", err)
	}
	if _, err := l.store.Read(l.within(time.Second)); err == nil || !strings.Contains(err.Error(), "connection refused") ||
		!strings.Contains(err.Error(), "no answer from "+l.agent.Address) {
		t.Errorf("Read without Consul = %v, want its address and connection refused", err)
	}
	l.agent.Restart()
	after := l.read()
	if after.Data != nil || after.Revision >= before.Revision {
		t.Errorf("Read = %+v, want nothing, and a revision below %d", after, before.Revision)
	}
	if _, err := l.store.Write(l.within(patience), []byte("two"), version); !errors.Is(err, cluster.ErrConflict) {
		t.Errorf("Write with the version from before = %v, want ErrConflict", err)
	}
	if err := l.store.Wait(l.within(patience), before); err != nil {
		t.Errorf("Wait from before = %v, want it to end by itself", err)
	}
	l.until("the announcement", func() bool { return len(l.read().Joiners) == 1 })
	l.until("the service", func() bool {
		return strings.Contains(string(l.agent.Get("health/checks/shop")), `"Status": "passing"`)
	})
	l.write("two", l.read().Version)
}

// The agent keeps its state.
func TestLive_Restart(t *testing.T) {
	l := goLive(t, consultest.Start(t, consultest.Config{Dir: t.TempDir()}))
	version := l.write("one", 0)
	l.agent.Kill()
	l.agent.Restart()
	if r := l.read(); string(r.Data) != "one" || r.Version != version {
		t.Errorf("Read = %+v, want %q of version %d", r, "one", version)
	}
	l.write("two", version)
}

// The agent stands still for longer than a call may take.
func TestLive_Pause(t *testing.T) {
	l := goLive(t, consultest.Start(t, consultest.Config{}))
	version := l.write("one", 0)
	l.agent.Pause()
	begin := time.Now()
	if _, err := l.store.Read(l.within(500 * time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Read = %v, want a deadline", err)
	}
	_, err := l.store.Write(l.within(500*time.Millisecond), []byte("two"), version)
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, cluster.ErrConflict) {
		t.Errorf("Write = %v, want a deadline, which says nothing about the outcome", err)
	}
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("calls of a second took %v", took)
	}
	l.agent.Resume()
	// What was sent may have happened or not, and may happen until now.
	if r := l.read(); string(r.Data) != "one" && string(r.Data) != "two" {
		t.Errorf("Read = %+v", r)
	}
	l.until("a write", func() bool {
		_, err := l.store.Write(l.within(patience), []byte("three"), l.read().Version)
		return err == nil
	})
}

func TestLive_RestoredBackup(t *testing.T) {
	l := goLive(t, consultest.Start(t, consultest.Config{Dir: t.TempDir()}))
	one := l.write("one", 0)
	backup := l.agent.Get("snapshot")
	two := l.write("two", one)
	before := l.read()
	waited := make(chan error, 1)
	go func() { waited <- l.store.Wait(l.within(time.Minute), before) }()
	select {
	case err := <-waited:
		t.Fatalf("Wait = %v before anything changed", err)
	case <-time.After(100 * time.Millisecond):
	}
	begin := time.Now()
	l.agent.Put("snapshot", backup)
	if err := <-waited; err != nil {
		t.Errorf("Wait = %v", err)
	}
	t.Logf("the wait noticed the restored backup after %v", time.Since(begin).Round(time.Millisecond))
	r := l.read()
	if string(r.Data) != "one" || r.Version != one {
		t.Errorf("Read = %+v, want %q of version %d", r, "one", one)
	}
	if _, err := l.store.Write(l.within(patience), []byte("three"), two); !errors.Is(err, cluster.ErrConflict) {
		t.Errorf("Write with the version that is gone = %v, want ErrConflict", err)
	}
	if three := l.write("three", one); three <= two {
		t.Errorf("the version after the backup is %d, want more than %d", three, two)
	}
}

func TestLive_Show(t *testing.T) {
	l := goLive(t, consultest.Start(t, consultest.Config{}))
	if err := l.store.Show(l.within(patience), member); err != nil {
		t.Fatal(err)
	}
	shown := func() string { return string(l.agent.Get("agent/service/shop-m-1")) }
	for _, want := range []string{`"10.0.0.1"`, "8090", `"cart"`, `"up"`} {
		if got := shown(); !strings.Contains(got, want) {
			t.Errorf("Consul shows %s, want %s in it", got, want)
		}
	}
	l.agent.Put("agent/service/deregister/shop-m-1", nil)
	l.until("the service's return", func() bool {
		return strings.Contains(string(l.agent.Get("health/checks/shop")), `"Status": "passing"`)
	})
	if err := l.store.Close(l.within(patience)); err != nil {
		t.Fatal(err)
	}
	if got := string(l.agent.Get("agent/services")); strings.Contains(got, "shop-m-1") {
		t.Errorf("after Close Consul shows %s", got)
	}
}

func TestLive_TooLarge(t *testing.T) {
	l := goLive(t, consultest.Start(t, consultest.Config{}))
	l.write(strings.Repeat("x", 380<<10), 0)
	_, err := l.store.Write(l.within(patience), make([]byte, 600<<10), 0)
	if err == nil || !strings.Contains(err.Error(), "too large") || !strings.Contains(err.Error(), "txn_max_req_len") {
		t.Errorf("Write of 600 KiB = %v, want what to raise", err)
	}
}

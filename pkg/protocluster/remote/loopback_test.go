package remote_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

// The same over real sockets: order, replies, and a stop that leaves nothing.
func TestLoopback(t *testing.T) {
	a, b := start(t, remote.Configure("127.0.0.1", 0)), start(t, remote.Configure("localhost", 0))
	const count = 20_000
	done := make(chan int, 1)
	next := 0
	b.spawn(t, "sink", func(ctx actor.Context) {
		if i, ok := ctx.Message().(int); ok && i == next {
			if next++; next == count {
				done <- next
			}
		}
	})
	b.echo(t, "echo")
	for i := range count {
		if err := a.system.TrySend(b.at("sink"), i); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := a.ask(t, b.at("echo"), "hi", 10*time.Second); got != "hi" || err != nil {
		t.Errorf("got %v, %v, want hi", got, err)
	}
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Error("the messages did not arrive in order")
	}
	if err := errors.Join(a.Stop(t.Context()), b.Stop(t.Context())); err != nil {
		t.Error(err)
	}
}

// Over real sockets, too, the reason of a refusal reaches whoever asked.
func TestMutualTLSOnLoopback(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds of real time")
	}
	ca, other := newAuthority(t), newAuthority(t)
	b := start(t, remote.Configure("127.0.0.1", 0, remote.WithTLS(ca.tls("127.0.0.1", time.Hour))))
	b.echo(t, "echo")
	stranger := other.tls("x", time.Hour)
	stranger.RootCAs = ca.pool
	anonymous := ca.tls("x", time.Hour)
	anonymous.Certificates = nil
	for _, row := range []struct {
		name string
		opt  remote.Option
		want string
	}{
		{"good", remote.WithTLS(ca.tls("laptop", time.Hour)), ""},
		{"no certificate", remote.WithTLS(anonymous), "certificate required"},
		{"other authority", remote.WithTLS(stranger), "unknown certificate authority"},
		{"expired", remote.WithTLS(ca.tls("x", -time.Hour)), "expired certificate"},
	} {
		a := start(t, remote.Configure("", 0, remote.WithoutListener(), row.opt))
		_, err := a.ask(t, b.at("echo"), 1, time.Second)
		if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
			t.Errorf("%s: got %v, want %q", row.name, err, row.want)
		}
	}
}

// TestBetweenProcesses asks and watches an actor in another process, which is
// this test again, and then kills it.
func TestBetweenProcesses(t *testing.T) {
	if os.Getenv(peerEnv) != "" {
		servePeer(t)
		return
	}
	if testing.Short() {
		t.Skip("takes seconds of real time")
	}
	p := startPeer(t)
	a := start(t, &remote.Config{Host: "127.0.0.1", DeadAfter: 2 * time.Second, Heartbeat: 100 * time.Millisecond})
	echo := p.at("echo")
	if got, err := a.ask(t, echo, "hi", 10*time.Second); got != "hi" || err != nil {
		t.Fatalf("got %v, %v, want hi", got, err)
	}
	told := make(chan error, 1)
	a.spawn(t, "watcher", func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *actor.Started:
			ctx.Watch(echo)
		case *actor.Terminated:
			told <- m.Reason
		}
	})
	if _, err := a.ask(t, echo, "again", 10*time.Second); err != nil {
		t.Fatal(err)
	}
	if err := p.process.Kill(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	select {
	case err := <-told:
		if !errors.Is(err, remote.ErrUnreachable) {
			t.Errorf("told %v, want ErrUnreachable", err)
		}
	case <-ctx.Done():
		t.Error("not told of the end of an actor whose process was killed")
	}
}

package testkit_test

import (
	"bytes"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

var (
	ab = testkit.Route{From: "a", To: "b"}
	ba = ab.Back()
)

// connect gives both ends of a connection from one host to another.
func connect(t testing.TB, n *testkit.Network, r testkit.Route) (from, to net.Conn) {
	t.Helper()
	l := listen(t, n.Host(r.To), ":0")
	from, err := n.Host(r.From).Dial(t.Context(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = from.Close() })
	to, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = to.Close() })
	return from, to
}

func listen(t testing.TB, h *testkit.Host, address string) net.Listener {
	t.Helper()
	l, err := h.Listen(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func write(t testing.TB, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Error(err)
	}
}

// read expects the next bytes to be want.
func read(t testing.TB, c net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Errorf("read %q, %v; want %q", got[:n], err, want)
	}
}

// takes expects f to last exactly want.
func takes(t testing.TB, what string, want time.Duration, f func()) {
	t.Helper()
	start := time.Now()
	f()
	if got := time.Since(start); got != want {
		t.Errorf("%s took %v, want %v", what, got, want)
	}
}

func TestLatencyIsExact(t *testing.T) {
	tests := []struct {
		name        string
		there, back time.Duration
	}{
		{name: "none"},
		{name: "same both ways", there: 20 * time.Millisecond, back: 20 * time.Millisecond},
		{name: "slow one way", there: time.Second, back: time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := testkit.NewNetwork()
				n.Shape(testkit.Link{Latency: tt.there}, ab)
				n.Shape(testkit.Link{Latency: tt.back}, ba)
				var a, b net.Conn
				takes(t, "dial and accept", 2*tt.there+tt.back, func() { a, b = connect(t, n, ab) })
				takes(t, "there", tt.there, func() { write(t, a, "ping"); read(t, b, "ping") })
				takes(t, "back", tt.back, func() { write(t, b, "pong"); read(t, a, "pong") })
			})
		})
	}
}

func TestHostReachesItselfWithoutNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := testkit.NewNetwork()
		n.Shape(testkit.Link{Latency: time.Second})
		takes(t, "connect", 0, func() { connect(t, n, testkit.Route{From: "a", To: "a"}) })
	})
}

func TestRateIsSharedByConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := testkit.NewNetwork()
		a1, b1 := connect(t, n, ab)
		a2, b2 := connect(t, n, ab)
		n.Shape(testkit.Link{Rate: 1000, Latency: time.Second}, ab)
		text := strings.Repeat("x", 500)
		takes(t, "two halves of a second and the latency", 2*time.Second, func() {
			write(t, a1, text)
			write(t, a2, text)
			read(t, b2, text)
		})
		takes(t, "the first", 0, func() { read(t, b1, text) })
	})
}

func TestLossDelaysAndKeepsOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := testkit.NewNetwork(1)
		a, b := connect(t, n, ab)
		n.Shape(testkit.Link{Loss: 0.5})
		start := time.Now()
		for i := range 100 {
			write(t, a, string(rune('!'+i%90)))
		}
		for i := range 100 {
			read(t, b, string(rune('!'+i%90)))
		}
		if time.Since(start) < 200*time.Millisecond {
			t.Errorf("took %v, want a retransmission at least", time.Since(start))
		}
		n.Shape(testkit.Link{Loss: 1})
		takes(t, "eight losses of 200 ms, doubled", 255*200*time.Millisecond, func() {
			write(t, a, "x")
			read(t, b, "x")
		})
	})
}

func TestSeedDecidesDeliveryTimes(t *testing.T) {
	deliveries := func(seeds ...uint64) (times []time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			n := testkit.NewNetwork(seeds...)
			n.Shape(testkit.Link{Latency: 10 * time.Millisecond, Jitter: 10 * time.Millisecond, Loss: 0.01})
			start := time.Now()
			a, b := connect(t, n, ab)
			var w sync.WaitGroup
			w.Go(func() {
				for range 200 {
					write(t, a, "x")
					testkit.Advance(time.Millisecond)
				}
			})
			for range 200 {
				read(t, b, "x")
				times = append(times, time.Since(start))
			}
			w.Wait()
		})
		return times
	}
	one, again, other := deliveries(1, 2), deliveries(1, 2), deliveries(1, 3)
	if !slices.Equal(one, again) {
		t.Errorf("same seed, other times:\n%v\n%v", one, again)
	}
	if slices.Equal(one, other) {
		t.Errorf("another seed, same times: %v", one)
	}
}

func TestWriteWaitsForTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := testkit.NewNetwork()
		n.Shape(testkit.Link{Window: 10})
		a, b := connect(t, n, ab)
		write(t, a, "0123456789")
		time.AfterFunc(time.Minute, func() { read(t, b, "012") })
		takes(t, "the next three", time.Minute, func() { write(t, a, "abc") })
		read(t, b, "3456789abc")
	})
}

func TestAddresses(t *testing.T) {
	n := testkit.NewNetwork()
	tests := []struct {
		name, host, address, want string
		fails                     error
	}{
		{name: "own name", host: "a", address: "a:8000", want: "a:8000"},
		{name: "taken", host: "a", address: ":8000", fails: syscall.EADDRINUSE},
		{name: "same port of another host", host: "b", address: "b:8000", want: "b:8000"},
		{name: "wildcard", host: "a", address: ":8001", want: "a:8001"},
		{name: "loopback", host: "a", address: "127.0.0.1:8002", want: "a:8002"},
		{name: "localhost", host: "a", address: "localhost:8003", want: "a:8003"},
		{name: "picked", host: "a", address: "a:0", want: "a:40000"},
		{name: "nameless host", host: "", address: "127.0.0.1:8000", want: "127.0.0.1:8000"},
		{name: "another's name", host: "a", address: "b:9000", fails: syscall.EADDRNOTAVAIL},
		{name: "no port", host: "a", address: "a", fails: errAny},
		{name: "port too large", host: "a", address: "a:70000", fails: errAny},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, err := n.Host(tt.host).Listen(t.Context(), tt.address)
			if !is(err, tt.fails) {
				t.Fatalf("Listen(%q) of host %q failed with %v, want %v", tt.address, tt.host, err, tt.fails)
			}
			if err == nil && l.Addr().String() != tt.want {
				t.Errorf("Listen(%q) of host %q is at %q, want %q", tt.address, tt.host, l.Addr(), tt.want)
			}
		})
	}
}

func TestHostIsTheSameUntilItEnds(t *testing.T) {
	n := testkit.NewNetwork()
	a, nameless := n.Host("a"), n.Host("")
	if n.Host("a") != a || n.Host("b") == a || n.Host("localhost") != nameless {
		t.Error("want one Host per name")
	}
	n.Kill("a")
	if n.Host("a") == a {
		t.Error("want another Host after Kill")
	}
}

func TestNetworkWithoutBubble(t *testing.T) {
	n := testkit.NewNetwork(1)
	n.Shape(testkit.Link{Latency: time.Millisecond, Jitter: time.Millisecond})
	a, b := connect(t, n, ab)
	want := bytes.Repeat([]byte("0123456789"), 100_000)
	go func() {
		_, _ = a.Write(want)
		_ = a.Close()
	}()
	if got, err := io.ReadAll(b); err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %d bytes and %v, want the %d that were written", len(got), err, len(want))
	}
}

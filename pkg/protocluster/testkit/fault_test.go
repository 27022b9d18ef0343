package testkit_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// errAny stands for an error that a test does not look at closely.
var errAny = errors.New("any error")

func is(err, want error) bool {
	return errors.Is(want, errAny) && err != nil || errors.Is(err, want)
}

// readFails expects that nothing but the error can be read.
func readFails(t testing.TB, c net.Conn, want error) {
	t.Helper()
	if n, err := c.Read(make([]byte, 1)); n > 0 || !is(err, want) {
		t.Errorf("read %d bytes and %v, want %v", n, err, want)
	}
}

// silent expects that c stays without news for d.
func silent(t testing.TB, c net.Conn, d time.Duration) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(d))
	takes(t, "silence", d, func() { readFails(t, c, os.ErrDeadlineExceeded) })
	_ = c.SetReadDeadline(time.Time{})
}

const latency = 10 * time.Millisecond

// faulty is a network of hosts with that latency, and a connection from a to b.
func faulty(t testing.TB) (n *testkit.Network, a, b net.Conn) {
	t.Helper()
	n = testkit.NewNetwork()
	n.Shape(testkit.Link{Latency: latency})
	a, b = connect(t, n, ab)
	return n, a, b
}

func TestCutIsOneWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, a, b := faulty(t)
		n.Cut(ab)
		write(t, a, "lost")
		silent(t, b, time.Minute)
		takes(t, "the other way", latency, func() { write(t, b, "there"); read(t, a, "there") })
		n.Heal("b", "a")
		takes(t, "what was held", latency, func() { read(t, b, "lost") })
	})
}

func TestPartitionHoldsWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, a, b := faulty(t)
		write(t, a, "arrived ")
		testkit.Advance(latency)
		write(t, a, "under way ")
		testkit.Advance(latency / 2)
		n.Partition("a", "b")
		write(t, a, "later")
		_ = a.Close()
		read(t, b, "arrived ")
		silent(t, b, 10*time.Minute)
		n.Heal("a", "b")
		takes(t, "the rest", latency, func() { read(t, b, "under way later"); readFails(t, b, io.EOF) })
	})
}

func TestDialOfUnreachableHost(t *testing.T) {
	tests := []struct {
		name    string
		fault   func(*testkit.Network)
		timeout time.Duration
		takes   time.Duration
		want    error
	}{
		{name: "nobody listens", takes: 2 * latency, want: syscall.ECONNREFUSED},
		{name: "partition", timeout: 5 * time.Second, takes: 5 * time.Second, want: context.DeadlineExceeded,
			fault: func(n *testkit.Network) { n.Partition("a", "b") }},
		{name: "the answer is cut off", timeout: 5 * time.Second, takes: 5 * time.Second, want: context.DeadlineExceeded,
			fault: func(n *testkit.Network) { n.Cut(ba) }},
		{name: "crash", timeout: 5 * time.Second, takes: 5 * time.Second, want: context.DeadlineExceeded,
			fault: func(n *testkit.Network) { n.Crash("b") }},
		{name: "no timeout", takes: 127 * time.Second, want: context.DeadlineExceeded,
			fault: func(n *testkit.Network) { n.Isolate("b") }},
		{name: "healed meanwhile", takes: time.Minute + 2*latency, want: syscall.ECONNREFUSED,
			fault: func(n *testkit.Network) { n.Isolate("b"); time.AfterFunc(time.Minute, n.HealAll) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n, _, _ := faulty(t)
				if tt.fault != nil {
					tt.fault(n)
				}
				ctx, cancel := context.WithCancel(t.Context())
				if tt.timeout > 0 {
					ctx, cancel = context.WithTimeout(ctx, tt.timeout)
				}
				defer cancel()
				takes(t, "dial", tt.takes, func() {
					if _, err := n.Host("a").Dial(ctx, "b:1"); !is(err, tt.want) {
						t.Errorf("dial failed with %v, want %v", err, tt.want)
					}
				})
			})
		})
	}
}

func TestAbandonedDialLeavesNoGhost(t *testing.T) {
	tests := []struct {
		name  string
		after time.Duration
		fault func(*testkit.Network)
	}{
		{name: "before it arrived", after: latency / 2},
		{name: "before the answer arrived", after: latency * 3 / 2},
		{name: "during a partition", after: time.Second, fault: func(n *testkit.Network) { n.Partition("a", "b") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n, _, _ := faulty(t)
				l := listen(t, n.Host("b"), "b:1")
				if tt.fault != nil {
					tt.fault(n)
				}
				ctx, cancel := context.WithTimeout(t.Context(), tt.after)
				defer cancel()
				if _, err := n.Host("a").Dial(ctx, "b:1"); !errors.Is(err, context.DeadlineExceeded) {
					t.Fatalf("dial failed with %v, want a timeout", err)
				}
				n.HealAll()
				time.AfterFunc(time.Minute, func() { _ = l.Close() })
				if c, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
					t.Errorf("accepted %v, %v; want nothing", c, err)
				}
				if got := n.Dials(ab); got != 2 {
					t.Errorf("%d dials, want this one and that of before", got)
				}
			})
		})
	}
}

func TestListenerThatClosesResetsItsBacklog(t *testing.T) {
	tests := []struct {
		name  string
		after time.Duration // of the dial's success
	}{
		{name: "before the handshake ended"},
		{name: "after it", after: time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n, _, _ := faulty(t)
				l := listen(t, n.Host("b"), "b:1")
				c, err := n.Host("a").Dial(t.Context(), "b:1")
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = c.Close() }()
				testkit.Advance(tt.after)
				_ = l.Close()
				readFails(t, c, syscall.ECONNRESET)
			})
		})
	}
}

func TestKillWhilePeersDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _, _ := faulty(t)
		l := listen(t, n.Host("b"), "b:1")
		var w sync.WaitGroup
		w.Go(func() {
			if _, err := n.Host("a").Dial(t.Context(), "b:1"); !errors.Is(err, net.ErrClosed) {
				t.Errorf("the killed process's dial failed with %v, want %v", err, net.ErrClosed)
			}
		})
		testkit.Advance(latency)
		n.Kill("a")
		w.Wait()
		time.AfterFunc(time.Minute, func() { _ = l.Close() })
		if c, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("accepted %v, %v; want nothing", c, err)
		}
	})
}

func TestKillResetsConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, a, b := faulty(t)
		zombie := n.Host("b")
		l := listen(t, zombie, "b:1")
		write(t, b, "last words")
		n.Kill("b")
		takes(t, "the news", latency, func() { read(t, a, "last words"); readFails(t, a, syscall.ECONNRESET) })
		readFails(t, b, net.ErrClosed)
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("the killed process's Accept failed with %v, want %v", err, net.ErrClosed)
		}
		if _, err := zombie.Dial(t.Context(), "a:1"); !errors.Is(err, net.ErrClosed) {
			t.Errorf("the killed process's Dial failed with %v, want %v", err, net.ErrClosed)
		}
		if _, err := zombie.Listen(t.Context(), "b:0"); !errors.Is(err, net.ErrClosed) {
			t.Errorf("the killed process's Listen failed with %v, want %v", err, net.ErrClosed)
		}
		listen(t, n.Host("b"), "b:1")
		connect(t, n, ba)
	})
}

func TestKillBehindPartitionIsLearntByWriting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, a, _ := faulty(t)
		n.Partition("a", "b")
		n.Kill("b")
		n.HealAll()
		silent(t, a, time.Hour)
		takes(t, "write and reset", 2*latency, func() { write(t, a, "?"); readFails(t, a, syscall.ECONNRESET) })
	})
}

func TestCrashIsSilentUntilRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, a, b := faulty(t)
		idle, _ := connect(t, n, ab)
		n.Crash("b")
		readFails(t, b, net.ErrClosed)
		if _, err := n.Host("b").Listen(t.Context(), "b:0"); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Listen on a crashed machine failed with %v, want %v", err, net.ErrClosed)
		}
		write(t, a, "anybody?")
		silent(t, a, 10*time.Minute)
		n.Restart("b")
		takes(t, "retransmission and reset", 2*latency, func() { readFails(t, a, syscall.ECONNRESET) })
		silent(t, idle, time.Minute)
		takes(t, "write and reset", 2*latency, func() { write(t, idle, "?"); readFails(t, idle, syscall.ECONNRESET) })
		connect(t, n, ab)
	})
}

func TestPauseQueuesUntilResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, a, b := faulty(t)
		l := listen(t, n.Host("b"), "b:1")
		n.Pause("b")
		time.AfterFunc(time.Minute, func() { n.Resume("b") })
		write(t, a, "hello")
		takes(t, "dial of a paused host", 2*latency, func() {
			c, err := n.Host("a").Dial(t.Context(), "b:1")
			if err != nil {
				t.Fatal(err)
			}
			_ = c.Close()
		})
		_ = b.SetReadDeadline(time.Now().Add(time.Second))
		takes(t, "deadline", time.Second, func() { readFails(t, b, os.ErrDeadlineExceeded) })
		_ = b.SetReadDeadline(time.Time{})
		takes(t, "the pause's rest", time.Minute-time.Second-2*latency, func() { read(t, b, "hello") })
		takes(t, "accept", 0, func() {
			c, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			_ = c.Close()
		})
		n.Pause("b")
		time.AfterFunc(time.Minute, func() { n.Resume("b") })
		takes(t, "write of a paused host", time.Minute, func() { write(t, b, "hello") })
		n.Pause("b")
		time.AfterFunc(time.Minute, func() { n.Resume("b") })
		takes(t, "dial of a paused host's", time.Minute+2*latency, func() {
			if _, err := n.Host("b").Dial(t.Context(), "a:1"); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("dial failed with %v, want %v", err, syscall.ECONNREFUSED)
			}
		})
	})
}

func TestPausedHostsPeerFillsTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, a, b := faulty(t)
		n.Shape(testkit.Link{Window: 5})
		n.Pause("b")
		_ = a.SetWriteDeadline(time.Now().Add(time.Minute))
		if k, err := io.WriteString(a, "hello, world"); k != 5 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("wrote %d bytes and %v, want the window of 5", k, err)
		}
		n.Resume("b")
		read(t, b, "hello")
	})
}

func TestResetBreaksBothEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, a, b := faulty(t)
		write(t, a, "arrived")
		testkit.Advance(latency)
		write(t, a, "lost")
		n.Reset("a", "b")
		n.Restart("b") // of a machine that is up: nothing
		read(t, b, "arrived")
		for _, c := range []net.Conn{a, b} {
			takes(t, "reset", 0, func() { readFails(t, c, syscall.ECONNRESET) })
			if _, err := io.WriteString(c, "x"); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("write failed with %v, want %v", err, syscall.ECONNRESET)
			}
		}
		connect(t, n, ab)
	})
}

func TestSplitAndHeal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := testkit.NewNetwork()
		reaches := func(from, to string) bool {
			l := listen(t, n.Host(to), ":0")
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			c, err := n.Host(from).Dial(ctx, l.Addr().String())
			if err == nil {
				_ = c.Close()
			}
			return err == nil
		}
		check := func(when string, want map[testkit.Route]bool) {
			for r, want := range want {
				if got := reaches(r.From, r.To); got != want {
					t.Errorf("%s: %v reachable = %v, want %v", when, r, got, want)
				}
			}
		}
		ac, bc := testkit.Route{From: "a", To: "c"}, testkit.Route{From: "b", To: "c"}
		check("before", map[testkit.Route]bool{ab: true, ba: true, ac: true, bc: true})
		n.Split([]string{"a", "b"}, []string{"c"})
		check("split", map[testkit.Route]bool{ab: true, ba: true, ac: false, ac.Back(): false, bc: false})
		n.Heal("c", "a")
		check("healed", map[testkit.Route]bool{ab: true, ac: true, ac.Back(): true, bc: false})
		n.HealAll()
		check("all healed", map[testkit.Route]bool{ab: true, ac: true, bc: true})
		n.Isolate("a")
		check("isolated", map[testkit.Route]bool{ab: false, ba: false, ac: false, bc: true, {From: "a", To: "a"}: true})
	})
}

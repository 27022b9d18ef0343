package remote_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// sink starts an actor that notes the numbers it gets, by sender.
func sink(t *testing.T, n *node, name string) map[string][]int {
	got := map[string][]int{}
	n.spawn(t, name, func(ctx actor.Context) {
		if i, ok := ctx.Message().(int); ok {
			got[ctx.Sender().ID] = append(got[ctx.Sender().ID], i)
		}
	})
	return got
}

// Whatever happens to connections, an actor gets the messages of another in the
// order in which they were sent, none twice.
func TestOrderAcrossReconnects(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		a, b := start(t, on(n, "a")), start(t, on(n, "b"))
		const senders, targets, count = 3, 5, 400
		var got []map[string][]int
		for i := range targets {
			got = append(got, sink(t, b, fmt.Sprint("sink", i)))
		}
		for i := range count {
			for s := range senders {
				for k := range targets {
					e := actor.Envelope{Message: i, Sender: a.at(fmt.Sprint("s", s))}
					if err := a.system.SendEnvelope(b.at(fmt.Sprint("sink", k)), e); err != nil {
						t.Fatal(err)
					}
				}
			}
			testkit.Advance(10 * time.Millisecond)
			if i%100 == 50 {
				n.Reset("a", "b")
			}
		}
		testkit.Advance(time.Second)
		lost := 0
		for _, byTarget := range got {
			for sender, list := range byTarget {
				if !slices.IsSorted(list) || len(slices.Compact(list)) != len(list) {
					t.Errorf("from %s: %v, want growing numbers", sender, list)
				}
				lost += count - len(list)
			}
		}
		// What was under way at a reset is lost: one message of each pair.
		if most := 4 * senders * targets; lost > most {
			t.Errorf("%d messages lost, want at most %d", lost, most)
		}
		if dials := n.Dials(testkit.Route{From: "a", To: "b"}); dials < 5 {
			t.Errorf("%d connections, want one more for each reset", dials)
		}
	})
}

// Messages for a node that cannot be reached yet wait for it.
func TestUnsentMessagesWait(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		a, b := start(t, on(n, "a")), prepare(t, remote.Configure("b", 4000, remote.WithNetwork(n.Host("b"))))
		got := sink(t, b, "sink")
		const count = 5000 // several batches
		for i := range count {
			e := actor.Envelope{Message: i, Sender: a.at("s")}
			if err := a.system.SendEnvelope(actor.NewPID("b:4000", "sink"), e); err != nil {
				t.Fatal(err)
			}
		}
		testkit.Advance(2 * time.Second)
		if err := b.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		testkit.Advance(2 * time.Second)
		if list := got["s"]; len(list) != count || !slices.IsSorted(list) {
			t.Errorf("%d messages arrived, in order %v, want %d in order", len(list), slices.IsSorted(list), count)
		}
	})
}

func TestAskOfAnUnreachableNode(t *testing.T) {
	for _, row := range []struct {
		name    string
		prepare func(n *testkit.Network)
		timeout time.Duration
		took    time.Duration // at most
		expired bool
		text    []string
	}{
		{"deadline, nothing listens", nil, 2 * time.Second, 2 * time.Second, true, []string{"b:4000", "is dialled", "attempt", "connection refused"}},
		{"deadline, no answer", func(n *testkit.Network) { n.Partition("a", "b") }, 2 * time.Second, 2 * time.Second, true, []string{"b:4000 is dialled, attempt 1"}},
		{"given up, nothing listens", nil, time.Minute, 6 * time.Second, false, []string{"gave up on b:4000 after", "connection refused"}},
		{"given up, no answer", func(n *testkit.Network) { n.Partition("a", "b") }, time.Minute, 6 * time.Second, false, []string{"gave up on b:4000 after 1 attempts", "no answer from b:4000 within 5s"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, n *testkit.Network) {
				n.Host("b")
				if row.prepare != nil {
					row.prepare(n)
				}
				a := start(t, on(n, "a"))
				to, begin := actor.NewPID("b:4000", "x"), time.Now()
				a.system.Send(to, "a tell")
				_, err := a.ask(t, to, 1, row.timeout)
				if !errors.Is(err, actor.ErrNotDelivered) || errors.Is(err, actor.ErrUnknownOutcome) || errors.Is(err, context.DeadlineExceeded) != row.expired {
					t.Errorf("got %v, want ErrNotDelivered", err)
				}
				for _, text := range row.text {
					if !strings.Contains(fmt.Sprint(err), text) {
						t.Errorf("got %v, want it to say %q", err, text)
					}
				}
				if took := time.Since(begin); took > row.took {
					t.Errorf("took %v, want at most %v", took, row.took)
				}
				if row.expired {
					return
				}
				synctest.Wait()
				if d := <-a.letters; d.Message != "a tell" || !errors.Is(d.Reason, remote.ErrUnreachable) {
					t.Errorf("got dead letter %v because of %v, want the tell", d.Message, d.Reason)
				}
				// For a moment the address is refused at once, so that nobody waits in vain again.
				if err := a.system.TrySend(to, 1); !errors.Is(err, remote.ErrUnreachable) {
					t.Errorf("got %v, want ErrUnreachable", err)
				}
			})
		})
	}
}

// A request that ended with ErrNotDelivered is not executed later.
func TestExpiredRequestIsNotSent(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		a, b := start(t, on(n, "a")), prepare(t, remote.Configure("b", 4000, remote.WithNetwork(n.Host("b"))))
		var got []any
		b.spawn(t, "x", func(ctx actor.Context) { got = append(got, ctx.Message()) })
		to := actor.NewPID("b:4000", "x")
		if _, err := a.ask(t, to, "expired", time.Second); !errors.Is(err, actor.ErrNotDelivered) {
			t.Fatalf("got %v, want ErrNotDelivered", err)
		}
		a.system.Send(to, "tell")
		if err := b.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		testkit.Advance(3 * time.Second)
		if len(got) != 2 || got[1] != "tell" {
			t.Errorf("got %v, want Started and the tell", got)
		}
	})
}

func TestOutcomeIsUnknownWhenTheConnectionBreaks(t *testing.T) {
	for name, fault := range map[string]func(n *testkit.Network){
		"reset":     func(n *testkit.Network) { n.Reset("a", "b") },
		"kill":      func(n *testkit.Network) { n.Kill("b") },
		"crash":     func(n *testkit.Network) { n.Crash("b") },
		"partition": func(n *testkit.Network) { n.Partition("a", "b") },
		"one way":   func(n *testkit.Network) { n.Cut(testkit.Route{From: "a", To: "b"}) },
		"other way": func(n *testkit.Network) { n.Cut(testkit.Route{From: "b", To: "a"}) },
		"pause":     func(n *testkit.Network) { n.Pause("b") },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, n *testkit.Network) {
				a, b := start(t, on(n, "a")), start(t, on(n, "b"))
				b.spawn(t, "silent", func(actor.Context) {})
				failed := make(chan error, 1)
				go func() {
					_, err := a.ask(t, b.at("silent"), 1, time.Hour)
					failed <- err
				}()
				testkit.Advance(time.Second)
				fault(n)
				begin := time.Now()
				err := <-failed
				if !errors.Is(err, actor.ErrUnknownOutcome) || errors.Is(err, actor.ErrNotDelivered) || !strings.Contains(err.Error(), b.Address()) {
					t.Errorf("got %v, want ErrUnknownOutcome naming %s", err, b.Address())
				}
				if took := time.Since(begin); took > 7*time.Second || name == "reset" && took > 0 {
					t.Errorf("known after %v", took)
				}
				n.Resume("b")
				n.HealAll()
			})
		})
	}
}

func TestQueueIsBounded(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		a, b := start(t, on(n, "a", remote.WithQueueBytes(4<<20))), start(t, on(n, "b"))
		b.echo(t, "echo")
		if _, err := a.ask(t, b.at("echo"), 1, time.Second); err != nil {
			t.Fatal(err)
		}
		n.Partition("a", "b")
		defer n.HealAll()
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		refused := 0
		for range 50_000 {
			err := a.Deliver(b.at("echo"), actor.Envelope{Message: make([]byte, 1000)})
			if err == nil {
				continue
			}
			if refused++; !errors.Is(err, actor.ErrNotDelivered) || !strings.Contains(err.Error(), "WithQueueBytes") {
				t.Fatalf("got %v, want ErrNotDelivered that says what to do", err)
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if refused < 40_000 {
			t.Errorf("%d of 50000 refused, want all that exceed 4 MiB", refused)
		}
		if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 16<<20 {
			t.Errorf("the heap grew by %d bytes", grown)
		}
	})
}

// A node that restarts at its address is another one: what was watched on the
// one before has ended, and messages go to the new one.
func TestRestartedNode(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		a := start(t, on(n, "a"))
		b := start(t, remote.Configure("b", 4000, remote.WithNetwork(n.Host("b"))))
		b.echo(t, "x")
		told := make(chan error, 2)
		a.spawn(t, "watcher", func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case *actor.Started:
				ctx.Watch(b.at("x"))
			case *actor.Terminated:
				told <- m.Reason
			}
		})
		testkit.Advance(time.Second)
		n.Kill("b")
		again := start(t, remote.Configure("b", 4000, remote.WithNetwork(n.Host("b"))))
		again.echo(t, "x")
		begin := time.Now()
		if err := <-told; !errors.Is(err, actor.ErrStopped) || time.Since(begin) > time.Second {
			t.Errorf("told %v after %v, want ErrStopped within a second", err, time.Since(begin))
		}
		if got, err := a.ask(t, b.at("x"), 1, time.Second); got != 1 || err != nil {
			t.Errorf("the new node answered %v, %v, want 1", got, err)
		}
	})
}

func TestDisconnectIsForGood(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		a, b := start(t, on(n, "a")), start(t, on(n, "b"))
		b.spawn(t, "silent", func(actor.Context) {})
		failed := make(chan error, 1)
		go func() {
			_, err := a.ask(t, b.at("silent"), 1, time.Minute)
			failed <- err
		}()
		testkit.Advance(time.Second)
		a.Disconnect(b.Address(), b.system.ID(), errors.New("evicted"))
		if err := <-failed; !errors.Is(err, actor.ErrUnknownOutcome) {
			t.Errorf("the request under way got %v, want ErrUnknownOutcome", err)
		}
		for _, ask := range []func() (any, error){
			func() (any, error) { return a.ask(t, b.at("silent"), 1, time.Minute) },
			func() (any, error) { return b.ask(t, a.at("x"), 1, time.Minute) },
		} {
			begin := time.Now()
			_, err := ask()
			if !errors.Is(err, actor.ErrNotDelivered) || !strings.Contains(err.Error(), "was given up: evicted") || time.Since(begin) > time.Second {
				t.Errorf("got %v after %v, want ErrNotDelivered with the reason at once", err, time.Since(begin))
			}
		}
	})
}

func TestDialFilter(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		a := start(t, on(n, "a"))
		b := start(t, on(n, "b", remote.WithDialFilter(func(address string) error { return errors.New("not a member") })))
		b.echo(t, "echo")
		if err := b.system.TrySend(a.at("x"), 1); !errors.Is(err, actor.ErrNotDelivered) || !strings.Contains(err.Error(), "not a member") {
			t.Errorf("got %v, want the filter's reason", err)
		}
		// A reply to a node that is connected goes out all the same.
		if got, err := a.ask(t, b.at("echo"), 1, time.Second); got != 1 || err != nil {
			t.Errorf("got %v, %v, want 1", got, err)
		}
	})
}

func TestClient(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		a := start(t, on(n, "a"))
		c := start(t, on(n, "c", remote.WithoutListener()))
		if want := "client-" + c.system.ID(); c.Address() != want {
			t.Errorf("address %q, want %q", c.Address(), want)
		}
		a.echo(t, "echo")
		c.echo(t, "echo")
		if got, err := c.ask(t, a.at("echo"), 1, time.Second); got != 1 || err != nil {
			t.Fatalf("got %v, %v, want 1", got, err)
		}
		if got, err := a.ask(t, c.at("echo"), 2, time.Second); got != 2 || err != nil {
			t.Errorf("the node asked the client and got %v, %v, want 2", got, err)
		}
		// It may not stop what lives on a node.
		c.system.Stop(a.at("echo"))
		c.system.Poison(a.at("echo"))
		for range 2 {
			if d := <-c.letters; !errors.Is(d.Reason, remote.ErrForbidden) {
				t.Errorf("got %v, want ErrForbidden", d.Reason)
			}
		}
		// While the client is away, what is for it waits.
		n.Reset("a", "c")
		testkit.Advance(time.Millisecond)
		if got, err := a.ask(t, c.at("echo"), 3, time.Second); got != 3 || err != nil {
			t.Errorf("after a reset got %v, %v, want 3", got, err)
		}
		var ended []error
		a.spawn(t, "watcher", func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case *actor.Started:
				ctx.Watch(c.at("echo"))
			case *actor.Terminated:
				ended = append(ended, m.Reason)
			}
		})
		testkit.Advance(time.Second)
		n.Crash("c")
		testkit.Advance(12 * time.Second)
		if len(ended) != 1 || !errors.Is(ended[0], remote.ErrUnreachable) {
			t.Errorf("told %v of the client's end, want ErrUnreachable", ended)
		}
		if err := a.system.TrySend(c.at("echo"), 1); !errors.Is(err, remote.ErrUnreachable) {
			t.Errorf("a message for a client that is gone gets %v, want ErrUnreachable", err)
		}
	})
}

// Nodes that nobody can reach cost dials, but few.
func TestBackoff(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		a := start(t, on(n, "a"))
		n.Host("b")
		for range 600 {
			a.system.Send(actor.NewPID("b:1", "x"), 1)
			testkit.Advance(100 * time.Millisecond)
		}
		if got := n.Dials(testkit.Route{From: "a", To: "b"}); got < 30 || got > 150 {
			t.Errorf("%d dials in a minute, want some but not many", got)
		}
	})
}

package cluster_test

import (
	"context"
	"errors"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/disthash"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

func TestJoin_ReturnsWhenUpInItsOwnView(t *testing.T) {
	testkit.Run(t, 2, func(t *testing.T, c *testkit.Cluster) {
		n := c.New()
		if got := n.View(); len(got.Members) != 0 {
			t.Errorf("View before Join = %v, want it empty", got)
		}
		if err := n.Join(t.Context()); err != nil {
			t.Fatalf("Join: %v", err)
		}
		m, ok := n.View().Member(n.System().ID())
		if !ok || m.Status != cluster.Up || m.Address != testkit.NodeAddress(2) {
			t.Errorf("own member = %v, %v, want it up at %s", m, ok, testkit.NodeAddress(2))
		}
		c.AwaitMembers(3)
	})
}

func TestStatesOfANode(t *testing.T) {
	l := newLedger()
	testkit.Run(t, 1, func(t *testing.T, c *testkit.Cluster) {
		n := c.New()
		calls := func(want error) {
			t.Helper()
			_, request := n.Request(t.Context(), user("1"), "x")
			_, locate := n.Locate(t.Context(), user("1"))
			for _, err := range []error{request, locate, n.Send(t.Context(), user("1"), "x")} {
				if !errors.Is(err, want) {
					t.Errorf("error = %v, want %v", err, want)
				}
			}
		}
		calls(cluster.ErrNotJoined)
		if err := n.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{n.Join(t.Context()), n.Connect(t.Context())} {
			if !errors.Is(err, cluster.ErrJoined) {
				t.Errorf("second Join = %v, want ErrJoined", err)
			}
		}
		calls(nil)
		if err := n.Leave(within(t, time.Minute)); err != nil {
			t.Errorf("Leave: %v", err)
		}
		calls(cluster.ErrClosed)
		if err := n.Join(t.Context()); !errors.Is(err, cluster.ErrClosed) {
			t.Errorf("Join after Leave = %v, want ErrClosed", err)
		}
		for _, err := range []error{n.Leave(t.Context()), n.Close()} {
			if err != nil {
				t.Errorf("Leave or Close again = %v, want nil", err)
			}
		}
		c.Leave(1)
	}, testkit.WithKinds(l.kind("user")))
}

func TestLeave_ConcurrentCallsWaitForOne(t *testing.T) {
	testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
		var callers sync.WaitGroup
		for i := range 10 {
			callers.Go(func() {
				end := c.Node(2).Close
				if i%2 == 0 {
					end = func() error { return c.Node(2).Leave(t.Context()) }
				}
				if err := end(); err != nil && (i%2 != 0 || !errors.Is(err, cluster.ErrClosed)) {
					t.Errorf("Leave or Close: %v, want nil, or that Close cut Leave short", err)
				}
				if c.Node(2).System().Spawn(actor.PropsFromFunc(func(actor.Context) {})) != nil {
					t.Errorf("the actor system still runs after Leave")
				}
			})
		}
		callers.Wait()
		c.Kill(2) // it has gone already
		c.AwaitMembers(2)
	})
}

func TestClose_CutsLeaveShort(t *testing.T) {
	var stuck chan struct{}
	blocks := actor.PropsFromFunc(func(ctx actor.Context) {
		if ctx.Message() == "block" {
			<-stuck
		}
	})
	testkit.Run(t, 1, func(t *testing.T, c *testkit.Cluster) {
		stuck = make(chan struct{})
		defer close(stuck)
		n := c.Node(0)
		if err := n.Send(t.Context(), user("1"), "block"); err != nil {
			t.Fatal(err)
		}
		testkit.Advance(time.Millisecond)
		begin := time.Now()
		var leave sync.WaitGroup
		leave.Go(func() {
			if err := n.Leave(t.Context()); err == nil {
				t.Errorf("Leave = nil, want an error that says what was not finished")
			}
		})
		testkit.Advance(time.Second)
		_ = n.Close() // tells the same
		leave.Wait()
		if took := time.Since(begin); took > 15*time.Second {
			t.Errorf("Leave and Close took %v", took)
		}
	}, testkit.WithKinds(cluster.NewKind("user", blocks)))
}

func TestJoin_TellsAllFaultsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := testkit.NewNetwork()
		busy, err := network.Host("10.0.0.1").Listen(t.Context(), "10.0.0.1:8090")
		if err != nil {
			t.Fatal(err)
		}
		defer busy.Close()
		props := actor.PropsFromFunc(func(actor.Context) {})
		config := cluster.Configure("", unreachable{}, nil, remote.Configure("10.0.0.1", 8090, remote.WithNetwork(network.Host("10.0.0.1")))).
			WithClusterKind("user", props).WithClusterKind("user", props).WithClusterKind("a/b", props).WithClusterKind("order", nil)
		c := cluster.New(actor.NewSystem(), config)
		err = c.Join(t.Context())
		for _, want := range []string{
			"the cluster has no name", "no lookup", "kind \"user\" is registered twice", "kind \"a/b\" contains a slash",
			"kind \"order\" has no props", "is the port in use", "seed 10.0.0.9:7946 cannot be reached",
		} {
			wantFault(t, err, want)
		}
		if err := c.Close(); err != nil {
			t.Errorf("Close after a failed Join: %v", err)
		}
	})
}

func TestJoin_BadAddresses(t *testing.T) {
	for _, row := range []struct {
		name   string
		remote *remote.Config
		want   string
	}{
		{"none", nil, "no remote is configured"},
		{"port", remote.Configure("127.0.0.1", 70000), "port 70000"},
		{"host", remote.Configure("", 0), "no host"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := cluster.New(actor.NewSystem(), cluster.Configure("shop", unreachable{}, disthash.New(), row.remote))
			wantFault(t, c.Join(t.Context()), row.want)
			wantFault(t, c.Close(), "")
		})
	}
}

func TestJoin_NilConfig(t *testing.T) {
	c := cluster.New(actor.NewSystem(), nil)
	wantFault(t, c.Join(t.Context()), "no provider")
	wantFault(t, c.Close(), "")
}

// unreachable is a provider that cannot begin.
type unreachable struct{}

func (unreachable) Run(context.Context, cluster.Node) error { return errors.New("out of order") }
func (unreachable) Check(context.Context, remote.Network) error {
	return errors.New("seed 10.0.0.9:7946 cannot be reached; start it or name another")
}

// absent is a provider that reports nobody, or after a while an error.
type absent struct{ err error }

func (p absent) Run(ctx context.Context, node cluster.Node) error {
	node.Report([]cluster.Member{{ID: "other", Address: "10.0.0.7:1", Status: cluster.Up}})
	if p.err != nil {
		return p.err
	}
	<-ctx.Done()
	return nil
}

// goroutines returns the stacks of those in the bubble of whoever asks, without the
// workers of actor systems: how many there are is up to chance. So is whether the runtime
// is calling a finalizer, which runs in no bubble.
func goroutines() (stacks []string) {
	all := make([]byte, 4<<20)
	all = all[:runtime.Stack(all, true)] // its own first
	_, bubble, _ := strings.Cut(strings.SplitN(string(all), "\n", 2)[0], "synctest bubble ")
	for stack := range strings.SplitSeq(string(all), "\n\n") {
		if strings.Contains(stack, "synctest bubble "+bubble) && !strings.Contains(stack, "dispatch.(*Pool).hire") {
			stacks = append(stacks, stack)
		}
	}
	return stacks
}

func TestJoin_FailsAndMayBeTriedAgain(t *testing.T) {
	testkit.Run(t, 1, func(t *testing.T, c *testkit.Cluster) {
		synctest.Wait()
		before := goroutines()
		n := c.New(func(c *cluster.Config) {
			c.Provider = &sometimes{c.Provider, []cluster.Provider{absent{}, absent{errors.New("no quorum")}}}
		})
		err := n.Join(within(t, 10*time.Second))
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "has not reported this member") {
			t.Errorf("Join = %v, want what was missing when the time was up", err)
		}
		wantFault(t, n.Join(within(t, 10*time.Second)), "no quorum")
		synctest.Wait()
		if got := goroutines(); len(got) > len(before) {
			t.Errorf("%d goroutines after a failed Join, want %d:\n%s", len(got), len(before), strings.Join(got, "\n\n"))
		}
		if err := n.Join(within(t, 10*time.Second)); err != nil {
			t.Errorf("third Join: %v", err)
		}
		c.AwaitMembers(2)
	})
}

// sometimes is another provider for each Run, and in the end the real one.
type sometimes struct {
	cluster.Provider
	first []cluster.Provider
}

func (p *sometimes) Run(ctx context.Context, node cluster.Node) error {
	if len(p.first) == 0 {
		return p.Provider.Run(ctx, node)
	}
	now := p.first[0]
	p.first = p.first[1:]
	return now.Run(ctx, node)
}

func TestClose_EndsJoin(t *testing.T) {
	testkit.Run(t, 1, func(t *testing.T, c *testkit.Cluster) {
		n := c.New(func(c *cluster.Config) { c.Provider = absent{} })
		var join sync.WaitGroup
		join.Go(func() {
			if err := n.Join(t.Context()); !errors.Is(err, cluster.ErrClosed) {
				t.Errorf("Join = %v, want ErrClosed", err)
			}
		})
		synctest.Wait()
		if err := n.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		join.Wait()
	})
}

func TestJoin_ContextIsNotKept(t *testing.T) {
	l := newLedger()
	testkit.Run(t, 1, func(t *testing.T, c *testkit.Cluster) {
		n := c.New()
		ctx, cancel := context.WithCancel(t.Context())
		if err := n.Join(ctx); err != nil {
			t.Fatal(err)
		}
		cancel()
		testkit.Advance(time.Minute)
		c.AwaitMembers(2)
		for _, id := range []string{"1", "2", "3", "4"} {
			ask(t, n, user(id), "where")
		}
	}, testkit.WithKinds(l.kind("user")))
}

func TestConnect_ClientSendsAndHostsNothing(t *testing.T) {
	l := newLedger()
	testkit.Run(t, 2, func(t *testing.T, c *testkit.Cluster) {
		client := c.AddClient()
		c.AwaitMembers(2)
		homes := make(map[any]bool)
		for _, id := range []string{"1", "2", "3", "4", "5", "6"} {
			homes[ask(t, client, user(id), "where")] = true
		}
		if len(homes) != 2 {
			t.Errorf("identities live at %v, want both members", homes)
		}
		if err := client.Send(t.Context(), user("1"), "told"); err != nil {
			t.Errorf("Send: %v", err)
		}
		testkit.Advance(time.Second)
		if got := l.count("told"); got != 1 {
			t.Errorf("the message of a client came %d times, want once", got)
		}
		if host, _, err := net.SplitHostPort(client.System().Address()); err == nil {
			t.Errorf("the client listens at %s, want it not to", host)
		}
		c.Leave(2)
	}, testkit.WithKinds(l.kind("user")))
}

func TestConnect_NeedsAMember(t *testing.T) {
	testkit.Run(t, 0, func(t *testing.T, c *testkit.Cluster) {
		err := c.New().Connect(within(t, 5*time.Second))
		wantFault(t, err, "no member is up yet")
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Connect = %v, want a DeadlineExceeded", err)
		}
	})
}

func TestLeave_EndsWithItsContext(t *testing.T) {
	var stuck chan struct{}
	blocks := actor.PropsFromFunc(func(ctx actor.Context) {
		if ctx.Message() == "block" {
			<-stuck
		}
	})
	testkit.Run(t, 2, func(t *testing.T, c *testkit.Cluster) {
		stuck = make(chan struct{})
		defer close(stuck)
		if err := c.Node(0).Send(t.Context(), user("1"), "block"); err != nil {
			t.Fatal(err)
		}
		testkit.Advance(time.Second)
		home := c.NodeOf(c.Node(0), user("1"))
		begin := time.Now()
		err := c.Node(home).Leave(within(t, time.Second))
		if took := time.Since(begin); err == nil || took > 15*time.Second {
			t.Errorf("Leave of a member with a stuck handler = %v after %v, want an error soon after its context ended", err, took)
		}
		wantFault(t, err, "1 activations have not finished")
		c.Node(1-home).System().Send(actor.NewPID("", "nobody"), 1)
		ctx := within(t, time.Minute)
		for view := range c.Node(1 - home).Views(ctx) {
			if len(view.Members) == 1 {
				return
			}
		}
		t.Errorf("the other member sees %v, want the one that left to be gone", c.Node(1-home).View())
	}, testkit.WithKinds(cluster.NewKind("user", blocks)))
}

// One value of the configuration serves several nodes, as the chapter has it.
func TestConfig_IsShared(t *testing.T) {
	base := cluster.Configure("shop", nil, nil, nil)
	one, other := base.WithClusterKind("user", nil), base.WithClusterKind("order", nil)
	names := func(c *cluster.Config) (names []string) {
		for _, k := range c.Kinds {
			names = append(names, k.Name)
		}
		return names
	}
	if len(base.Kinds) != 0 || !slices.Equal(names(one), []string{"user"}) || !slices.Equal(names(other), []string{"order"}) {
		t.Errorf("kinds = %v, %v, %v: With… changed what it was called on", names(base), names(one), names(other))
	}
}

// The bubble fails the test if one goroutine of a thousand clusters is left.
func TestCycles_LeaveNothingBehind(t *testing.T) {
	t.Parallel()
	cycles := 1000
	if testing.Short() {
		cycles = 20
	}
	l := newLedger()
	synctest.Test(t, func(t *testing.T) {
		for range cycles {
			c := testkit.NewCluster(t, 3, testkit.WithKinds(l.kind("user")))
			for i, id := range []string{"1", "2", "3", "4"} {
				ask(t, c.Node(i%3), user(id), "where")
			}
			c.Leave(2)
			c.Close()
		}
	})
}

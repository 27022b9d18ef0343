package router_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/router"
)

// key is a message that is routed by its hash.
type key string

func (k key) Hash() string { return string(k) }

// office has routees that note what each gets.
type office struct {
	*actor.System

	mu  sync.Mutex
	got map[string][]any // by routee
}

// bubble runs f in a bubble with an office of its own.
func bubble(t *testing.T, f func(t *testing.T, o *office)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o := &office{System: actor.NewSystem(actor.WithLogger(slog.New(slog.DiscardHandler))), got: map[string][]any{}}
		defer func() {
			if err := o.Shutdown(context.Background()); err != nil {
				t.Error(err)
			}
		}()
		f(t, o)
	})
}

func (o *office) clerk() *actor.Props {
	return actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case int, string, key:
			o.mu.Lock()
			defer o.mu.Unlock()
			o.got[ctx.Self().ID] = append(o.got[ctx.Self().ID], m)
			if ctx.Sender() != nil {
				ctx.Respond(ctx.Self().ID)
			}
		}
	})
}

// clerks starts n actors named from a.
func (o *office) clerks(t testing.TB, n int) []*actor.PID {
	t.Helper()
	var pids []*actor.PID
	for i := range n {
		pid, err := o.SpawnNamed(o.clerk(), string(rune('a'+i)))
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

// taken returns what each routee got since the last time, sorted by routee.
func (o *office) taken() string {
	synctest.Wait()
	o.mu.Lock()
	defer o.mu.Unlock()
	var all []string
	for _, id := range slices.Sorted(maps.Keys(o.got)) {
		all = append(all, fmt.Sprintf("%s%v", id, o.got[id]))
	}
	clear(o.got)
	return strings.Join(all, " ")
}

func (o *office) check(t testing.TB, want string) {
	t.Helper()
	if got := o.taken(); got != want {
		t.Errorf("the routees got %s, want %s", got, want)
	}
}

func (o *office) routees(t testing.TB, pid *actor.PID) []*actor.PID {
	t.Helper()
	reply, err := actor.Ask[*router.Routees](t.Context(), o.System, pid, &router.GetRoutees{})
	if err != nil {
		t.Fatal(err)
	}
	return reply.PIDs
}

func TestRoundRobin(t *testing.T) {
	bubble(t, func(t *testing.T, o *office) {
		pid := o.Spawn(router.NewRoundRobinGroup(o.clerks(t, 3)...))
		for n := range 7 {
			o.Send(pid, n)
		}
		o.check(t, "a[0 3 6] b[1 4] c[2 5]")
	})
}

func TestRandom_Spreads(t *testing.T) {
	bubble(t, func(t *testing.T, o *office) {
		const routees, each = 5, 1000
		pid := o.Spawn(router.NewRandomGroup(o.clerks(t, routees)...))
		for n := range routees * each {
			o.Send(pid, n)
		}
		synctest.Wait()
		for id, got := range o.got { // six standard deviations
			if n := len(got); n < each-170 || n > each+170 {
				t.Errorf("%s got %d messages, want about %d", id, n, each)
			}
		}
	})
}

func TestToAll_AndBroadcast(t *testing.T) {
	bubble(t, func(t *testing.T, o *office) {
		clerks := o.clerks(t, 3)
		o.Send(o.Spawn(router.NewBroadcastGroup(clerks...)), "x")
		o.check(t, "a[x] b[x] c[x]")
		o.Send(o.Spawn(router.NewRoundRobinGroup(clerks...)), &router.Broadcast{Message: "y"})
		o.check(t, "a[y] b[y] c[y]")
	})
}

func TestConsistentHash(t *testing.T) {
	bubble(t, func(t *testing.T, o *office) {
		const keys = 3000
		pid := o.Spawn(router.NewConsistentHashGroup(o.clerks(t, 5)...))
		where := func() map[key]string {
			at := map[key]string{}
			for n := range keys {
				k := key(fmt.Sprint("user", n))
				id, err := actor.Ask[string](t.Context(), o.System, pid, k)
				if err != nil {
					t.Fatal(err)
				}
				at[k] = id
			}
			return at
		}
		first := where()
		if !maps.Equal(first, where()) {
			t.Error("the same keys went to other routees")
		}
		share := map[string]int{}
		for _, id := range first {
			share[id]++
		}
		for id, n := range share {
			if n < keys/5*85/100 || n > keys/5*115/100 {
				t.Errorf("%s has %d keys, want %d ± 15 %%", id, n, keys/5)
			}
		}
		o.Send(pid, &router.RemoveRoutee{PID: actor.NewPID("local", "c")})
		for k, id := range where() {
			if was := first[k]; id != was && was != "c" || id == "c" {
				t.Errorf("%s moved from %s to %s, though only c went", k, was, id)
			}
		}
		o.Send(pid, &router.AddRoutee{PID: actor.NewPID("local", "c")})
		if !maps.Equal(first, where()) {
			t.Error("the keys of c did not come back with it")
		}
		if _, err := o.Ask(t.Context(), pid, "no key"); !errors.Is(err, actor.ErrNotDelivered) {
			t.Errorf("Ask without a hash = %v, want %v", err, actor.ErrNotDelivered)
		}
	})
}

func TestGroup_ForgetsThoseThatEnd(t *testing.T) {
	bubble(t, func(t *testing.T, o *office) {
		clerks := o.clerks(t, 3)
		pid := o.Spawn(router.NewRoundRobinGroup(clerks...))
		o.Send(pid, 1)
		o.check(t, "a[1]")
		if err := o.StopAndWait(t.Context(), clerks[1]); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		for n := range 4 {
			o.Send(pid, n)
		}
		o.check(t, "a[1 3] c[0 2]")
		if got := o.routees(t, pid); len(got) != 2 || !got[0].Equal(clerks[0]) || !got[1].Equal(clerks[2]) {
			t.Errorf("routees = %v, want a and c", got)
		}
		o.Stop(clerks[0])
		o.Stop(clerks[2])
		synctest.Wait()
		if _, err := o.Ask(t.Context(), pid, 1); !errors.Is(err, actor.ErrNotDelivered) {
			t.Errorf("Ask without routees = %v, want %v", err, actor.ErrNotDelivered)
		}
	})
}

func TestGroup_LivesApartFromItsRoutees(t *testing.T) {
	bubble(t, func(t *testing.T, o *office) {
		clerks := o.clerks(t, 2)
		pid := o.Spawn(router.NewRandomGroup(clerks...))
		if err := o.PoisonAndWait(t.Context(), pid); err != nil {
			t.Error(err)
		}
		for _, clerk := range clerks {
			if id, err := o.Ask(t.Context(), clerk, 1); id != clerk.ID || err != nil {
				t.Errorf("Ask = %v, %v, want %s", id, err, clerk.ID)
			}
		}
	})
}

func TestPools(t *testing.T) {
	rows := map[string]struct {
		props   func(size int, routee *actor.Props) *actor.Props
		copies  int
		message any
	}{
		"round robin":     {router.NewRoundRobinPool, 1, "x"},
		"random":          {router.NewRandomPool, 1, "x"},
		"broadcast":       {router.NewBroadcastPool, 4, "x"},
		"consistent hash": {router.NewConsistentHashPool, 1, key("x")},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, o *office) {
				pid := o.Spawn(row.props(4, o.clerk()))
				routees := o.routees(t, pid)
				if len(routees) != 4 {
					t.Fatalf("%d routees, want 4", len(routees))
				}
				o.Send(pid, row.message)
				synctest.Wait()
				if len(o.got) != row.copies {
					t.Errorf("%d routees got the message, want %d", len(o.got), row.copies)
				}
				o.Stop(routees[0])
				synctest.Wait()
				if n := len(o.routees(t, pid)); n != 3 {
					t.Errorf("%d routees after one has ended, want 3", n)
				}
				if err := o.StopAndWait(t.Context(), pid); err != nil {
					t.Error(err)
				}
				if err := o.TrySend(routees[1], "x"); !errors.Is(err, actor.ErrNoActor) {
					t.Errorf("TrySend to a routee of a pool that has ended = %v, want %v", err, actor.ErrNoActor)
				}
			})
		})
	}
}

func TestRouter_HasNoStateOfOthers(t *testing.T) {
	bubble(t, func(t *testing.T, o *office) {
		props := router.NewRoundRobinGroup(o.clerks(t, 2)...)
		o.Send(o.Spawn(props), 1)
		o.Send(o.Spawn(props), 2)
		synctest.Wait()
		if len(o.got["a"]) != 2 {
			t.Errorf("a got %v, want the first message of each router", o.got["a"])
		}
	})
}

// item is the n-th message of a sender, and routed by the sender.
type item struct{ from, n int }

func (m item) Hash() string { return fmt.Sprint(m.from) }

// A router keeps the order of each sender, and passes on nothing of its own
// life.
func TestRouter_ForwardsInOrder(t *testing.T) {
	bubble(t, func(t *testing.T, o *office) {
		const senders, each = 4, 300
		var next [senders]int // each is one routee's
		clerk := actor.PropsFromFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case *actor.Started, *actor.Stopping, *actor.Stopped:
			case item:
				if m.n != next[m.from] {
					t.Errorf("message %d of sender %d came, want %d", m.n, m.from, next[m.from])
				}
				next[m.from]++
			default:
				t.Errorf("a routee got %T", m)
			}
		})
		pid := o.Spawn(router.NewConsistentHashPool(3, clerk).With(actor.WithReceiveTimeout(time.Second)))
		var wg sync.WaitGroup
		for from := range senders {
			wg.Go(func() {
				for n := range each {
					o.Send(pid, item{from, n})
				}
			})
		}
		wg.Wait()
		<-time.After(time.Minute) // the router is idle, too
		if want := [senders]int{each, each, each, each}; next != want {
			t.Errorf("handled %v, want %v", next, want)
		}
	})
}

func BenchmarkConsistentHash(b *testing.B) {
	var pids []*actor.PID
	for i := range 10 {
		pids = append(pids, actor.NewPID("10.0.0.1:8080", fmt.Sprint("routee", i)))
	}
	routing := router.ConsistentHash()
	b.ReportAllocs()
	for b.Loop() {
		routing(pids, key("user123"))
	}
}

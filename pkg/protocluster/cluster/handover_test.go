package cluster_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/partition"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// clinic has virtual actors that are busy for as long as they are told, whatever
// happens, and notes who was at work when.
type clinic struct {
	mu    sync.Mutex
	busy  int // handlers at work
	shift map[string][]shift
}

type shift struct {
	address  string
	from, to time.Time
}

func (c *clinic) receive(ctx actor.Context) {
	text, _ := ctx.Message().(string)
	d, err := time.ParseDuration(text)
	if err != nil {
		return
	}
	id, _ := cluster.IdentityOf(ctx)
	c.count(1)
	s := shift{address: ctx.Self().Address, from: time.Now()}
	<-time.After(d)
	s.to = time.Now()
	c.count(-1)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shift[id.String()] = append(c.shift[id.String()], s)
	ctx.Respond(s.address)
}

// count adds to the handlers at work, and returns how many there are.
func (c *clinic) count(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy += n
	return c.busy
}

// await waits until so many handlers are at work. Where all workers of a member
// block, the next handler begins after 1 to 21 ms, by what the machine does.
func (c *clinic) await(t testing.TB, n int) {
	t.Helper()
	for range 1000 {
		if c.count(0) == n {
			return
		}
		testkit.Advance(time.Millisecond)
	}
	t.Fatalf("%d handlers are at work after a second, want %d", c.count(0), n)
}

// overlap returns two shifts of one identity at two places at a time.
func (c *clinic) overlap() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, shifts := range c.shift {
		for i, a := range shifts {
			for _, b := range shifts[:i] {
				if a.address != b.address && a.from.Before(b.to) && b.from.Before(a.to) {
					return fmt.Sprintf("%s was at work on %s from %v and on %s from %v", id, a.address, a.from, b.address, b.from)
				}
			}
		}
	}
	return ""
}

// An identity that moves is activated where it moves to only when the handler
// that is at work where it was has returned; others do not wait for that.
func TestHandover_WaitsForTheHandlerAndForNoOther(t *testing.T) {
	work := &clinic{shift: map[string][]shift{}}
	kind := cluster.NewKind("user", actor.PropsFromFunc(work.receive))
	testkit.Run(t, 2, func(t *testing.T, c *testkit.Cluster) {
		ids := users(40)
		for _, id := range ids {
			ask(t, c.Node(0), id, "1ms")
		}
		var busy sync.WaitGroup
		for _, id := range ids[:20] {
			busy.Go(func() {
				if _, err := c.Node(0).Request(within(t, time.Minute), id, "3s"); err != nil {
					t.Errorf("Request(%s): %v", id, err)
				}
			})
		}
		work.await(t, 20)
		c.Add()
		c.AwaitMembers(3)
		begin := time.Now()
		for _, id := range ids[20:] {
			ask(t, c.Node(0), id, "1ms")
		}
		if took := time.Since(begin); took > time.Second {
			t.Errorf("those who are not busy answer within %v, want no wait for those who are", took)
		}
		moved := 0
		for _, id := range ids[:20] {
			if ask(t, c.Node(1), id, "1ms") == testkit.NodeAddress(2) {
				moved++
			}
		}
		if took := time.Since(begin); moved == 0 || took < 2*time.Second || took > 4*time.Second {
			t.Errorf("%d of those who are busy for 3s have moved after %v, want some, after that", moved, took)
		}
		busy.Wait()
		if fault := work.overlap(); fault != "" {
			t.Error(fault)
		}
	}, testkit.WithLookup(partition.New()), testkit.WithKinds(kind))
}

// Whoever waits for too long is told, and nothing was executed.
func TestHandover_IsBounded(t *testing.T) {
	work := &clinic{shift: map[string][]shift{}}
	kind := cluster.NewKind("user", actor.PropsFromFunc(work.receive))
	testkit.Run(t, 2, func(t *testing.T, c *testkit.Cluster) {
		ids := users(40)
		var busy sync.WaitGroup
		for _, id := range ids {
			busy.Go(func() { _, _ = c.Node(0).Request(within(t, time.Minute), id, "30s") })
		}
		work.await(t, len(ids))
		c.Add()
		c.AwaitMembers(3)
		refused := 0
		for _, id := range ids[:10] {
			_, err := c.Node(0).Request(within(t, time.Second), id, "1ms")
			if fenced, ok := errors.AsType[*cluster.FencedError](err); ok || errors.Is(err, actor.ErrNotDelivered) {
				refused++
				if ok && len(fenced.Owing) == 0 {
					t.Errorf("%v does not say who has to let go", err)
				}
			}
		}
		if refused == 0 {
			t.Error("nobody waits for a busy identity that moved")
		}
		busy.Wait()
		if fault := work.overlap(); fault != "" {
			t.Error(fault)
		}
	}, testkit.WithLookup(partition.New()), testkit.WithKinds(kind))
}

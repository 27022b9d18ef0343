package pidcache_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/pidcache"
)

// newCache returns a cache of identities that are the IDs of their PIDs.
func newCache() *pidcache.Cache[string] {
	return pidcache.New(func(id string, pid *actor.PID) bool { return pid.ID == id })
}

func TestCache_IsBounded(t *testing.T) {
	c := newCache()
	id := func(i int) string { return fmt.Sprint(i) }
	for i := range 2 * pidcache.Size {
		c.Put(id(i), actor.NewPID("10.0.0.1:8090", id(i)), 1)
	}
	kept := 0
	for i := range 2 * pidcache.Size {
		if c.Get(id(i), 1) != nil {
			kept++
		}
	}
	if kept > pidcache.Size || kept < pidcache.Size*9/10 {
		t.Errorf("%d of %d entries are kept, want %d at most and little less", kept, 2*pidcache.Size, pidcache.Size)
	}
}

func TestCache_CountsInOneViewOnly(t *testing.T) {
	c := newCache()
	const id = "grain/user/1"
	old, now := actor.NewPID("10.0.0.1:8090", id), actor.NewPID("10.0.0.2:8090", id)
	if got := c.Get(id, 0); got != nil {
		t.Errorf("Get of a new cache = %v", got)
	}
	c.Put(id, now, 2)
	c.Put(id, old, 1) // a look-up that began before the view changed ends late
	c.Remove(id, old)
	if got := c.Get(id, 2); got != now {
		t.Errorf("Get = %v, want %v", got, now)
	}
	for _, epoch := range []uint64{0, 1, 3} {
		if got := c.Get(id, epoch); got != nil {
			t.Errorf("Get in epoch %d = %v, want nothing of epoch 2", epoch, got)
		}
	}
	c.Remove(id, actor.NewPID("10.0.0.2:8090", id))
	if got := c.Get(id, 2); got != nil {
		t.Errorf("Get after remove = %v", got)
	}
}

// A PID that cannot be an identity's is not kept as such.
func TestCache_KeepsNoOtherID(t *testing.T) {
	c := newCache()
	c.Put("grain/user/1", actor.NewPID("10.0.0.1:8090", "grain/user/2"), 1)
	for _, id := range []string{"grain/user/1", "grain/user/2", ""} {
		if got := c.Get(id, 1); got != nil {
			t.Errorf("Get(%q) = %v, want nothing", id, got)
		}
	}
}

// The cache agrees with a map, whatever happens.
func TestCache_IsAMap(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	c, want, epoch := newCache(), map[string]*actor.PID{}, uint64(0)
	for step := range 100_000 {
		id := fmt.Sprint("grain/user/", dice.IntN(2000))
		pid := actor.NewPID(fmt.Sprint("10.0.0.1:", dice.IntN(3)), id)
		switch n := dice.IntN(100_000); {
		case n < 10:
			epoch++
			clear(want)
		case n < 40_000:
			c.Put(id, pid, epoch)
			want[id] = pid
		case n < 60_000:
			c.Remove(id, pid)
			if want[id].Equal(pid) {
				delete(want, id)
			}
		}
		if got := c.Get(id, epoch); got != want[id] {
			t.Fatalf("step %d: Get(%q) = %v, want %v", step, id, got, want[id])
		}
	}
	for id, pid := range want {
		if got := c.Get(id, epoch); got != pid {
			t.Errorf("Get(%q) = %v, want %v", id, got, pid)
		}
	}
}

// What is kept is found, and nothing else, while others come and go.
func TestCache_Race(t *testing.T) {
	c := newCache()
	id := func(i int) string { return fmt.Sprint("grain/user/", i) }
	const kept, others = 100, 2000
	for i := range kept {
		c.Put(id(i), actor.NewPID("10.0.0.1:8090", id(i)), 1)
	}
	var all sync.WaitGroup
	for who := range 2 {
		all.Go(func() {
			for i := range others {
				id := id(kept + (who*others+i)/2)
				pid := actor.NewPID("10.0.0.1:8090", id)
				c.Put(id, pid, 1)
				if i%3 > 0 {
					c.Remove(id, pid)
				}
			}
		})
		all.Go(func() {
			for i := range 10 * others {
				id := id(i % (kept + others))
				if pid := c.Get(id, 1); pid == nil && i%(kept+others) < kept || pid != nil && pid.ID != id {
					t.Errorf("Get(%q) = %v", id, pid)
					return
				}
			}
		})
	}
	all.Wait()
}

func BenchmarkCache(b *testing.B) {
	for _, n := range []int{1000, 10_000, 90_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := newCache()
			ids := make([]string, n)
			for i := range ids {
				ids[i] = fmt.Sprint("grain/user/", i)
				c.Put(ids[i], actor.NewPID("10.0.0.1:8090", ids[i]), 1)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if c.Get(ids[i*7919%n], 1) == nil {
					b.Fatal("nothing")
				}
			}
		})
	}
}

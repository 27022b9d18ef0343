package pidcache_test

import (
	"fmt"
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/pidcache"
)

func TestCache_IsBounded(t *testing.T) {
	c := pidcache.New[string]()
	pid := actor.NewPID("10.0.0.1:8090", "grain/user/1")
	id := func(i int) string { return fmt.Sprint(i) }
	for i := range 2 * pidcache.Size {
		c.Put(id(i), pid, 1)
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
	c := pidcache.New[string]()
	const id = "user/1"
	old, now := actor.NewPID("10.0.0.1:8090", "grain/user/1"), actor.NewPID("10.0.0.2:8090", "grain/user/1")
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
	c.Remove(id, actor.NewPID("10.0.0.2:8090", "grain/user/1"))
	if got := c.Get(id, 2); got != nil {
		t.Errorf("Get after remove = %v", got)
	}
}

package cluster

import (
	"fmt"
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
)

func TestCache_IsBounded(t *testing.T) {
	c := newCache()
	pid := actor.NewPID("10.0.0.1:8090", "grain/user/1")
	id := func(i int) Identity { return Identity{Kind: "user", Identity: fmt.Sprint(i)} }
	for i := range 2 * cacheSize {
		c.put(id(i), pid, 1)
	}
	kept := 0
	for i := range 2 * cacheSize {
		if c.get(id(i), 1) != nil {
			kept++
		}
	}
	if kept > cacheSize || kept < cacheSize*9/10 {
		t.Errorf("%d of %d entries are kept, want %d at most and little less", kept, 2*cacheSize, cacheSize)
	}
}

func TestCache_CountsInOneViewOnly(t *testing.T) {
	c := newCache()
	id := Identity{Kind: "user", Identity: "1"}
	old, now := actor.NewPID("10.0.0.1:8090", "grain/user/1"), actor.NewPID("10.0.0.2:8090", "grain/user/1")
	c.put(id, now, 2)
	c.put(id, old, 1) // a look-up that began before the view changed ends late
	c.remove(id, old)
	if got := c.get(id, 2); got != now {
		t.Errorf("get = %v, want %v", got, now)
	}
	for _, epoch := range []uint64{0, 1, 3} {
		if got := c.get(id, epoch); got != nil {
			t.Errorf("get in epoch %d = %v, want nothing of epoch 2", epoch, got)
		}
	}
	c.remove(id, actor.NewPID("10.0.0.2:8090", "grain/user/1"))
	if got := c.get(id, 2); got != nil {
		t.Errorf("get after remove = %v", got)
	}
}

package cluster

import (
	"hash/maphash"
	"sync"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
)

const (
	cacheShards = 64
	cacheSize   = 100_000 // entries of a node
)

// cache remembers where identities live. An entry counts only in the view in
// which its look-up began, so a member that left is never served from it, and
// a new view needs no scan. At its bound it forgets entries at random.
type cache struct {
	seed   maphash.Seed
	shards [cacheShards]struct {
		mu      sync.RWMutex
		entries map[Identity]cached
	}
}

type cached struct {
	pid   *actor.PID
	epoch uint64
}

func newCache() *cache {
	c := &cache{seed: maphash.MakeSeed()}
	for i := range c.shards {
		c.shards[i].entries = make(map[Identity]cached)
	}
	return c
}

func (c *cache) shard(id Identity) int {
	return int(maphash.Comparable(c.seed, id) % cacheShards)
}

// get returns what is known of id in the view of that epoch, or nil.
func (c *cache) get(id Identity, epoch uint64) *actor.PID {
	s := &c.shards[c.shard(id)]
	s.mu.RLock()
	defer s.mu.RUnlock()
	if e := s.entries[id]; e.epoch == epoch {
		return e.pid
	}
	return nil
}

// put remembers what a look-up that began in the view of that epoch found.
func (c *cache) put(id Identity, pid *actor.PID, epoch uint64) {
	s := &c.shards[c.shard(id)]
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.entries[id]; !known && len(s.entries) >= cacheSize/cacheShards {
		for other := range s.entries { // begins at random
			delete(s.entries, other)
			break
		}
	}
	if s.entries[id].epoch <= epoch {
		s.entries[id] = cached{pid, epoch}
	}
}

// remove forgets that id lives at pid, and nothing newer.
func (c *cache) remove(id Identity, pid *actor.PID) {
	s := &c.shards[c.shard(id)]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entries[id].pid.Equal(pid) {
		delete(s.entries, id)
	}
}

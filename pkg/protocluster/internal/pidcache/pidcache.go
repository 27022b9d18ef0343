// Package pidcache remembers where identities live. An entry counts only in the
// view in which its look-up began, so a member that left is never served from it,
// and a new view needs no scan. At its bound it forgets entries at random.
package pidcache

import (
	"hash/maphash"
	"sync"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
)

const shards = 64

// Size is how many entries a cache has at most.
const Size = 100_000

// Cache is such a memory, by identities of type K. Make it with New. Its methods
// may be called concurrently.
type Cache[K comparable] struct {
	seed   maphash.Seed
	shards [shards]struct {
		mu      sync.RWMutex
		entries map[K]entry
	}
}

type entry struct {
	pid   *actor.PID
	epoch uint64
}

// New returns a cache that knows nothing.
func New[K comparable]() *Cache[K] {
	c := &Cache[K]{seed: maphash.MakeSeed()}
	for i := range c.shards {
		c.shards[i].entries = make(map[K]entry)
	}
	return c
}

func (c *Cache[K]) shard(id K) int { return int(maphash.Comparable(c.seed, id) % shards) }

// Get returns what is known of id in the view of that epoch, or nil.
func (c *Cache[K]) Get(id K, epoch uint64) *actor.PID {
	s := &c.shards[c.shard(id)]
	s.mu.RLock()
	defer s.mu.RUnlock()
	if e := s.entries[id]; e.epoch == epoch {
		return e.pid
	}
	return nil
}

// Put remembers what a look-up that began in the view of that epoch found.
func (c *Cache[K]) Put(id K, pid *actor.PID, epoch uint64) {
	s := &c.shards[c.shard(id)]
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.entries[id]; !known && len(s.entries) >= Size/shards {
		for other := range s.entries { // begins at random
			delete(s.entries, other)
			break
		}
	}
	if s.entries[id].epoch <= epoch {
		s.entries[id] = entry{pid, epoch}
	}
}

// Remove forgets that id lives at pid, and nothing newer.
func (c *Cache[K]) Remove(id K, pid *actor.PID) {
	s := &c.shards[c.shard(id)]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entries[id].pid.Equal(pid) {
		delete(s.entries, id)
	}
}

// Package names finds values by name, for any number of goroutines at once.
package names

import (
	"hash/maphash"
	"iter"
	"maps"
	"slices"
	"sync"
)

// Hail begins the names under which an actor is called that may not be there yet.
// What is sent to such a name keeps its order with what is sent to the actor's own.
const Hail = "hail!"

// Registry holds at most one value under a name. Make it with New. Its methods
// may be called concurrently; shards keep those of several cores from waiting
// for one another.
type Registry[V any] struct {
	seed   maphash.Seed
	shards [64]shard[V]
}

type shard[V any] struct {
	mu     sync.RWMutex
	values map[string]V
}

// New returns a registry without names.
func New[V any]() *Registry[V] {
	r := &Registry[V]{seed: maphash.MakeSeed()}
	for i := range r.shards {
		r.shards[i].values = make(map[string]V)
	}
	return r
}

func (r *Registry[V]) shard(name string) *shard[V] {
	return &r.shards[maphash.String(r.seed, name)%uint64(len(r.shards))]
}

// Add registers v under name; false if that is taken.
func (r *Registry[V]) Add(name string, v V) bool {
	s := r.shard(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.values[name]; taken {
		return false
	}
	s.values[name] = v
	return true
}

// Get returns what is registered under name, or the zero value.
func (r *Registry[V]) Get(name string) V {
	s := r.shard(name)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.values[name]
}

// Remove makes name free again.
func (r *Registry[V]) Remove(name string) {
	s := r.shard(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.values, name)
}

// All iterates over the values, in no order. One that is added or removed
// meanwhile may be among them or not. No lock is held while the loop's body
// runs.
func (r *Registry[V]) All() iter.Seq[V] {
	return func(yield func(V) bool) {
		for i := range r.shards {
			s := &r.shards[i]
			s.mu.RLock()
			values := slices.AppendSeq(make([]V, 0, len(s.values)), maps.Values(s.values))
			s.mu.RUnlock()
			for _, v := range values {
				if !yield(v) {
					return
				}
			}
		}
	}
}

package actor

import (
	"hash/maphash"
	"sync"
)

// registry finds the PIDs of a system by id. Shards keep spawns on several
// cores from waiting for one another.
type registry struct {
	seed   maphash.Seed
	shards [64]struct {
		mu   sync.RWMutex
		pids map[string]*PID
	}
}

func newRegistry() *registry {
	r := &registry{seed: maphash.MakeSeed()}
	for i := range r.shards {
		r.shards[i].pids = make(map[string]*PID)
	}
	return r
}

// add registers pid under id unless that is taken.
func (r *registry) add(id string, pid *PID) bool {
	s := &r.shards[maphash.String(r.seed, id)%uint64(len(r.shards))]
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.pids[id]; taken {
		return false
	}
	s.pids[id] = pid
	return true
}

func (r *registry) get(id string) *PID {
	s := &r.shards[maphash.String(r.seed, id)%uint64(len(r.shards))]
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.pids[id]
}

func (r *registry) remove(id string) {
	s := &r.shards[maphash.String(r.seed, id)%uint64(len(r.shards))]
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.pids, id)
}

// roots returns the actors without a parent.
func (r *registry) roots() (found []*cell) {
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.RLock()
		for _, pid := range s.pids {
			if c := pid.cell.Load(); c != nil && c.parent == nil {
				found = append(found, c)
			}
		}
		s.mu.RUnlock()
	}
	return found
}

package journal

import (
	"hash/fnv"
	"math/bits"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// Hash is the same for an identity on all nodes. Its low bits are as good as
// random.
func Hash(id cluster.Identity) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id.Kind)) // it cannot fail
	_, _ = h.Write([]byte{'/'})
	_, _ = h.Write([]byte(id.Identity))
	x := h.Sum64()
	x ^= x >> 33 // the finalizer of MurmurHash3; Appleby, 2011
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// Level is up to which level an identity of that hash belongs to samples.
func Level(hash uint64) int { return bits.TrailingZeros64(hash) }

// sample keeps those entries whose hash ends in level zeroes: a level that
// leaves no more than most, and yet not too few. The same identities are
// sampled at the same level on all nodes, so one that moves is seen to move.
type sample struct {
	most    int
	level   int
	version uint64 // grows with each change
	of      map[*entry]struct{}
}

func (s *sample) add(e *entry) {
	if Level(e.hash) < s.level {
		return
	}
	s.version++
	s.of[e] = struct{}{}
	for len(s.of) > s.most && s.level < 63 {
		s.level++
		for e := range s.of {
			if Level(e.hash) < s.level {
				delete(s.of, e)
			}
		}
	}
}

// remove takes e out. A sample that has become small is made anew from all, which
// takes as many removals before it happens again.
func (s *sample) remove(e *entry, all map[cluster.Identity]*entry) {
	if _, in := s.of[e]; !in {
		return
	}
	s.version++
	delete(s.of, e)
	if s.level == 0 || len(s.of) >= s.most/4 {
		return
	}
	s.level--
	for _, e := range all {
		if Level(e.hash) >= s.level {
			s.of[e] = struct{}{}
		}
	}
}

// Sample is the identities of some activations that live.
type Sample struct {
	Version uint64 // another one says that another Sample is to be expected
	Level   int    // the hashes of all that live and end in so many zeroes
	Hashes  []uint64
	IDs     []cluster.Identity // as many
}

// Sample returns a sample at that level or the next that is small enough. Without
// a change since the version, of the same level, there is none.
func (j *Journal) Sample(level int, since uint64) (s Sample, changed bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	level = min(max(level, j.sample.level), 63)
	s = Sample{Version: j.sample.version, Level: level}
	if since != 0 && since == j.sample.version {
		return s, false
	}
	for e := range j.sample.of {
		if Level(e.hash) >= level {
			s.Hashes = append(s.Hashes, e.hash)
			s.IDs = append(s.IDs, e.id)
		}
	}
	return s, true
}

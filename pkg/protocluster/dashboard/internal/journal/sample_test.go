package journal

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// population is a journal's sample of so many users, and all of them.
func population(n, most int) (s *sample, all map[cluster.Identity]*entry) {
	s = &sample{most: most, of: make(map[*entry]struct{})}
	all = make(map[cluster.Identity]*entry)
	for i := range n {
		id := cluster.Identity{Kind: "user", Identity: fmt.Sprint(i)}
		e := &entry{id: id, hash: Hash(id)}
		all[id] = e
		s.add(e)
	}
	return s, all
}

// check finds entries that are in the sample and should not be, or the reverse.
func check(t *testing.T, s *sample, all map[cluster.Identity]*entry) {
	t.Helper()
	want := 0
	for _, e := range all {
		if Level(e.hash) >= s.level {
			want++
		}
	}
	if len(s.of) != want || want > s.most {
		t.Errorf("%d of %d are in the sample of level %d, want %d, and at most %d", len(s.of), len(all), s.level, want, s.most)
	}
	for e := range s.of {
		if all[e.id] != e || Level(e.hash) < s.level {
			t.Errorf("%s is in the sample of level %d", e.id, s.level)
		}
	}
}

func TestSample_StaysSmallHoweverManyThereAre(t *testing.T) {
	const most = 2048
	for _, n := range []int{0, 1, most, most + 1, 100_000} {
		s, all := population(n, most)
		check(t, s, all)
		if n > most && len(s.of) < most/4 {
			t.Errorf("%d of %d are in the sample, want no fewer than %d", len(s.of), n, most/4)
		}
	}
}

func TestSample_GrowsBackAsManyEnd(t *testing.T) {
	s, all := population(20_000, 256)
	level := s.level
	for i, id := range slices.SortedFunc(maps.Keys(all), func(a, b cluster.Identity) int { return int(Hash(a)>>33) - int(Hash(b)>>33) }) {
		e := all[id]
		delete(all, id)
		s.remove(e, all)
		if i%997 == 0 {
			check(t, s, all)
		}
	}
	if level == 0 || s.level != 0 || len(s.of) != 0 {
		t.Errorf("the sample of nobody has the level %d and %d entries; of 20,000 it had the level %d", s.level, len(s.of), level)
	}
}

// Each change is one that an asker learns of.
func TestSample_VersionGrowsWithEachChange(t *testing.T) {
	s, all := population(10, 100)
	if s.version != 10 {
		t.Errorf("version %d after 10 changes", s.version)
	}
	for id, e := range all {
		delete(all, id)
		before := s.version
		s.remove(e, all)
		s.remove(e, all)
		if s.version != before+1 {
			t.Errorf("version %d after one removal, want %d", s.version, before+1)
		}
	}
}

// All members, of all versions, choose the same identities.
func TestHash_IsFixed(t *testing.T) {
	for id, want := range map[cluster.Identity]uint64{
		{Kind: "user", Identity: "123"}: 0x168d4ce6da9254d3, {Kind: "a", Identity: "b/c"}: 0x32c668a914de94c6,
	} {
		if got := Hash(id); got != want {
			t.Errorf("Hash(%s) = %#x, want %#x", id, got, want)
		}
	}
}

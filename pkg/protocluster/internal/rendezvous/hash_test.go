package rendezvous

import (
	"hash/fnv"
	"testing"
)

func TestFNV_IsTheStandardLibrarys(t *testing.T) {
	for _, s := range []string{"", "a", "127.0.0.1:8081", "ünïcödé", "\x00\xff"} {
		std := fnv.New64a()
		std.Write([]byte(s))
		if got, want := fnv1a(fnvOffset, s), std.Sum64(); got != want {
			t.Errorf("fnv1a(%q) = %#x, want %#x", s, got, want)
		}
	}
}

func TestMix_IsSplitMix64(t *testing.T) {
	const golden = 0x9e3779b97f4a7c15 // the step of the generator's state
	state := uint64(0)
	for i, want := range []uint64{0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f} {
		state += golden
		if got := mix(state); got != want {
			t.Errorf("number %d of the generator with seed 0 = %#x, want %#x", i, got, want)
		}
	}
}

func TestOwner_OfEqualScoresIsTheFirstName(t *testing.T) {
	table := NewTable([]string{"b", "a", "c"})
	for i := range table.members {
		table.members[i].hash = 42
	}
	if got := table.Owner(Key{Kind: "user", Identity: "123"}); got != 1 {
		t.Errorf("Owner = %d, want 1, which is the index of %q", got, "a")
	}
}

package lru_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/lru"
)

type thing struct {
	lru.Item[*thing]

	used time.Duration
	in   bool
}

// The heap agrees with a search through everything, whatever happens.
func TestHeap_KnowsTheOldest(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	things := make([]*thing, 50)
	for i := range things {
		things[i] = new(thing)
	}
	var h lru.Heap[*thing]
	in := 0
	for step := range 10_000 {
		it := things[dice.IntN(len(things))]
		switch now := time.Duration(step + 1); {
		case dice.IntN(3) > 0:
			it.used = now
			it.Use(now)
		case it.in:
			h.Remove(&it.Item)
			it.in = false
			in--
		default:
			h.Push(&it.Item, it)
			it.in = true
			in++
		}
		want := time.Duration(1 << 62)
		for _, other := range things {
			if other.in {
				want = min(want, other.used)
			}
		}
		got, used, ok := h.Oldest()
		if ok != (in > 0) || h.Len() != in || ok && (used != want || got.used != want) {
			t.Fatalf("step %d: Oldest = %v, %v, Len = %d; want %v of %d", step, used, ok, h.Len(), want, in)
		}
	}
}

func TestHeap_RemoveOfWhatIsNotInIsNothing(t *testing.T) {
	var h lru.Heap[*thing]
	a, b := new(thing), new(thing)
	h.Push(&a.Item, a)
	h.Remove(&b.Item)
	h.Remove(&a.Item)
	h.Remove(&a.Item)
	if _, _, ok := h.Oldest(); ok || h.Len() != 0 {
		t.Errorf("Len = %d, want 0", h.Len())
	}
}

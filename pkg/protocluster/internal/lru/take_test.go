package lru_test

import (
	"slices"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/lru"
)

// What is taken out is what was not used for longest, and what is left goes on.
func TestHeap_TakesTheOldest(t *testing.T) {
	var h lru.Heap[int]
	items := make([]lru.Item[int], 10)
	for i := range items {
		items[i].Use(time.Duration(i))
		h.Push(&items[i], i)
	}
	items[0].Use(20)
	items[3].Use(5)
	if got := h.Beyond(8); !slices.Equal(got, []int{1, 2}) {
		t.Errorf("Beyond(8) = %v, want 1 and 2", got)
	}
	got, oldest := h.Until(5, 100)
	slices.Sort(got)
	if !slices.Equal(got, []int{3, 4, 5}) || oldest != 6 {
		t.Errorf("Until(5) = %v, and %v is the next; want 3, 4 and 5, and 6", got, oldest)
	}
	if got, oldest := h.Until(50, 100); len(got) != 5 || got[4] != 0 || oldest != 100 || h.Len() != 0 {
		t.Errorf("Until(50) = %v, and %v is the next; want all others, 0 last, and 100", got, oldest)
	}
	if got := h.Beyond(0); got != nil {
		t.Errorf("Beyond of an empty heap = %v", got)
	}
	h.Remove(&items[0]) // does nothing
}

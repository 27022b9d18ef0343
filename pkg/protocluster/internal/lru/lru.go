// Package lru keeps items in a heap, least recently used first. To use an item
// only stamps it; the heap learns of that when the item comes to its top.
package lru

import (
	"container/heap"
	"sync/atomic"
	"time"
)

// Item is what a Heap keeps of one V: embed it. Use may be called concurrently with
// everything; all else is for the heap's owner.
type Item[V any] struct {
	value V
	used  atomic.Int64
	seen  int64 // used as the heap knows it
	place int   // in the heap, from 1 on; 0: not in it
}

// Use stamps the item with the instant of its last use.
func (i *Item[V]) Use(now time.Duration) { i.used.Store(int64(now)) }

// Heap is such a heap. The zero value is empty.
type Heap[V any] struct{ items items[V] }

// Len is how many items the heap keeps.
func (h *Heap[V]) Len() int { return len(h.items) }

// Push has the heap keep v's item.
func (h *Heap[V]) Push(i *Item[V], v V) {
	i.value, i.seen = v, i.used.Load()
	heap.Push(&h.items, i)
}

// Remove takes an item out, if it is in.
func (h *Heap[V]) Remove(i *Item[V]) {
	if i.place > 0 {
		heap.Remove(&h.items, i.place-1)
	}
}

// Oldest returns the least recently used, and when that was; false if there is
// none.
func (h *Heap[V]) Oldest() (v V, used time.Duration, ok bool) {
	for len(h.items) > 0 {
		i := h.items[0]
		used := i.used.Load()
		if used == i.seen {
			return i.value, time.Duration(used), true
		}
		i.seen = used
		heap.Fix(&h.items, 0)
	}
	return v, 0, false
}

// Beyond takes out the least recently used, until at most that many are left.
func (h *Heap[V]) Beyond(most int) (those []V) {
	for h.Len() > most {
		v, _, _ := h.Oldest()
		heap.Pop(&h.items)
		those = append(those, v)
	}
	return those
}

// Until takes out those that were not used after that instant, and returns when the
// least recently used of the others was, or the instant now if there is none.
func (h *Heap[V]) Until(instant, now time.Duration) (those []V, oldest time.Duration) {
	for {
		v, used, ok := h.Oldest()
		switch {
		case !ok:
			return those, now
		case used > instant:
			return those, used
		}
		heap.Pop(&h.items)
		those = append(those, v)
	}
}

// items is a heap.Interface by Item.seen.
type items[V any] []*Item[V]

func (s items[V]) Len() int           { return len(s) }
func (s items[V]) Less(i, j int) bool { return s[i].seen < s[j].seen }
func (s items[V]) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].place, s[j].place = i+1, j+1
}

// Push appends x, an *Item.
func (s *items[V]) Push(x any) {
	i := x.(*Item[V])
	*s = append(*s, i)
	i.place = len(*s)
}

// Pop removes the last.
func (s *items[V]) Pop() any {
	last := len(*s) - 1
	i := (*s)[last]
	i.place = 0
	(*s)[last] = nil
	*s = (*s)[:last]
	return i
}

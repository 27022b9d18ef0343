package cluster

import (
	"container/heap"
	"context"
	"time"
)

// Kinds with an idle timeout or a cap keep their activations in a heap, least
// recently used first. A message only stamps its activation; the heap learns
// of that when the activation comes to its top.

func (k *hosted) evicts() bool { return k.IdleTimeout > 0 || k.MaxActive > 0 }

// push adds a to those that may be evicted, and returns who has to go for it.
// Callers hold activations.mu, as for all methods here.
func (k *hosted) push(a *activation) (evict []*activation) {
	if !k.evicts() {
		return nil
	}
	a.seen = a.used.Load()
	heap.Push(&k.used, a)
	for k.MaxActive > 0 && k.used.Len() > k.MaxActive {
		oldest := k.oldest()
		oldest.ending = true
		k.drop(oldest)
		evict = append(evict, oldest)
	}
	return evict
}

// drop takes a out of those that may be evicted.
func (k *hosted) drop(a *activation) {
	if a.index >= 0 {
		heap.Remove(&k.used, a.index)
	}
}

// oldest returns the least recently used, or nil.
func (k *hosted) oldest() *activation {
	for len(k.used) > 0 {
		a := k.used[0]
		used := a.used.Load()
		if used == a.seen {
			return a
		}
		a.seen = used
		heap.Fix(&k.used, 0)
	}
	return nil
}

// sweep evicts what is idle for too long, until ctx ends. While there is
// nothing to evict it sleeps for the shortest timeout of all kinds.
func (t *activations) sweep(ctx context.Context) {
	for {
		timer := time.NewTimer(max(t.evictIdle(time.Since(t.began)), time.Millisecond))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// evictIdle evicts what is due at now and returns how long nothing will be.
func (t *activations) evictIdle(now time.Duration) (pause time.Duration) {
	pause = time.Hour
	var evict []*activation
	t.mu.Lock()
	for _, k := range t.kinds {
		if k.IdleTimeout <= 0 {
			continue
		}
		a := k.oldest()
		for ; a != nil && time.Duration(a.seen)+k.IdleTimeout <= now; a = k.oldest() {
			a.ending = true
			k.drop(a)
			evict = append(evict, a)
		}
		pause = min(pause, k.IdleTimeout)
		if a != nil {
			pause = min(pause, time.Duration(a.seen)+k.IdleTimeout-now)
		}
	}
	t.mu.Unlock()
	t.poison(evict)
	return pause
}

// lruHeap is a heap.Interface by activation.seen.
type lruHeap []*activation

func (h lruHeap) Len() int           { return len(h) }
func (h lruHeap) Less(i, j int) bool { return h[i].seen < h[j].seen }

func (h lruHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push appends x, an *activation.
func (h *lruHeap) Push(x any) {
	a := x.(*activation)
	a.index = len(*h)
	*h = append(*h, a)
}

// Pop removes the last.
func (h *lruHeap) Pop() any {
	last := len(*h) - 1
	a := (*h)[last]
	a.index = -1
	(*h)[last] = nil
	*h = (*h)[:last]
	return a
}

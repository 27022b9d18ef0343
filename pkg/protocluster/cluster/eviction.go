package cluster

import (
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
	k.used.Push(&a.Item, a)
	for k.MaxActive > 0 && k.used.Len() > k.MaxActive {
		oldest, _, _ := k.used.Oldest()
		oldest.ending = true
		k.drop(oldest)
		evict = append(evict, oldest)
	}
	return evict
}

// drop takes a out of those that may be evicted.
func (k *hosted) drop(a *activation) { k.used.Remove(&a.Item) }

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
		pause = min(pause, k.IdleTimeout)
		a, used, some := k.used.Oldest()
		for ; some && used+k.IdleTimeout <= now; a, used, some = k.used.Oldest() {
			a.ending = true
			k.drop(a)
			evict = append(evict, a)
		}
		if some {
			pause = min(pause, used+k.IdleTimeout-now)
		}
	}
	t.mu.Unlock()
	for _, a := range evict {
		t.finish(a, drained)
	}
	return pause
}

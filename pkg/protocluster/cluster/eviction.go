package cluster

import (
	"context"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/background"
)

// Kinds with an idle timeout or a cap keep their activations in a heap, least
// recently used first. A message only stamps its activation; the heap learns
// of that when the activation comes to its top.

func (k *hosted) evicts() bool { return k.IdleTimeout > 0 || k.MaxActive > 0 }

// push adds a to those that may be evicted, and returns who has to go for it.
// Callers hold activations.mu, as for all methods here.
func (k *hosted) push(a *activation) (evict []*activation) {
	if k.evicts() {
		k.used.Push(&a.Item, a)
	}
	if k.MaxActive > 0 {
		evict = k.used.Beyond(k.MaxActive)
	}
	return endingAll(evict)
}

func endingAll(those []*activation) []*activation {
	for _, a := range those {
		a.ending = true
	}
	return those
}

// drop takes a out of those that may be evicted.
func (k *hosted) drop(a *activation) { k.used.Remove(&a.Item) }

// sweep evicts what is idle for too long, until ctx ends. While there is
// nothing to evict it sleeps for the shortest timeout of all kinds.
func (t *activations) sweep(ctx context.Context) {
	for background.Sleep(ctx, max(t.evictIdle(time.Since(t.began)), time.Millisecond)) {
	}
}

// evictIdle evicts what is due at now and returns how long nothing will be.
func (t *activations) evictIdle(now time.Duration) (pause time.Duration) {
	pause = time.Hour
	var evict []*activation
	t.mu.Lock()
	for _, k := range t.kinds {
		if k.IdleTimeout > 0 {
			idle, oldest := k.used.Until(now-k.IdleTimeout, now)
			pause = min(pause, oldest+k.IdleTimeout-now)
			evict = append(evict, endingAll(idle)...)
		}
	}
	t.mu.Unlock()
	for _, a := range evict {
		t.finish(a, drained)
	}
	return pause
}

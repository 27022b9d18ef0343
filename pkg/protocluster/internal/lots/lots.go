// Package lots keeps what waits for somebody who is not there yet, in order, and
// has each lot emptied by one task.
package lots

import (
	"context"
	"sync"

	"github.com/protocluster/workshop/pkg/protocluster/internal/background"
)

// Lots holds values of type V by whom they wait for, K. Make it with New. Its
// methods may be called concurrently.
type Lots[K comparable, V any] struct {
	tasks *background.Tasks
	empty func(ctx context.Context, k K)
	limit int

	mu   sync.Mutex
	lots map[K][]V // each has a task that empties it
}

// New returns lots without values. Whenever something waits for a k, one task
// calls empty until nothing does; empty should Take what waits. A lot has room
// for limit values beside those that were put back.
func New[K comparable, V any](tasks *background.Tasks, limit int, empty func(ctx context.Context, k K)) *Lots[K, V] {
	return &Lots[K, V]{tasks: tasks, empty: empty, limit: limit, lots: make(map[K][]V)}
}

// Park has v wait behind all others; false if there is no room, or no more tasks.
func (l *Lots[K, V]) Park(k K, v V) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	lot := l.lots[k]
	if len(lot) >= l.limit || !l.attend(k) {
		return false
	}
	l.lots[k] = append(lot, v)
	return true
}

// PutBack has vs wait ahead of all others; false if there are no more tasks.
func (l *Lots[K, V]) PutBack(k K, vs []V) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.attend(k) {
		return false
	}
	l.lots[k] = append(vs, l.lots[k]...)
	return true
}

// Take returns what waits for k, which waits no more.
func (l *Lots[K, V]) Take(k K) []V {
	l.mu.Lock()
	defer l.mu.Unlock()
	vs := l.lots[k]
	if len(vs) > 0 {
		l.lots[k] = nil
	}
	return vs
}

// attend makes sure that a task empties the lot of k; l.mu is held.
func (l *Lots[K, V]) attend(k K) bool {
	if _, busy := l.lots[k]; busy {
		return true
	}
	if l.tasks.Go("deliver", func(ctx context.Context) {
		for l.occupied(k) {
			l.empty(ctx, k)
		}
	}) == nil {
		return false
	}
	l.lots[k] = nil
	return true
}

// occupied reports whether something waits for k, or closes the lot.
func (l *Lots[K, V]) occupied(k K) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.lots[k]) == 0 {
		delete(l.lots, k)
		return false
	}
	return true
}

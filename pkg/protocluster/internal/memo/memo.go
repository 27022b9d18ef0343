// Package memo remembers what was made of something, for a few things at a time.
package memo

import "sync"

// Memo makes a V of an S, and the same V of all that have the same key. Make it with
// New. Get may be called concurrently.
type Memo[S any, K comparable, V any] struct {
	most    int
	key     func(S) K
	produce func(S) V

	mu    sync.RWMutex
	known map[K]V
}

// New returns a Memo that forgets everything rather than remember more than that
// many.
func New[S any, K comparable, V any](most int, key func(S) K, produce func(S) V) *Memo[S, K, V] {
	return &Memo[S, K, V]{most: most, key: key, produce: produce, known: make(map[K]V)}
}

// Get returns what was made of s, or makes it.
func (m *Memo[S, K, V]) Get(s S) V {
	k := m.key(s)
	m.mu.RLock()
	v, known := m.known[k]
	m.mu.RUnlock()
	if known {
		return v
	}
	v = m.produce(s)
	m.mu.Lock()
	defer m.mu.Unlock()
	if first, known := m.known[k]; known {
		return first
	}
	if len(m.known) >= m.most {
		clear(m.known)
	}
	m.known[k] = v
	return v
}

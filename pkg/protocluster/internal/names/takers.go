package names

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Takers take what is for names that nobody has. The zero value has none. Its
// methods may be called concurrently.
type Takers[E any] struct {
	mu  sync.Mutex
	all atomic.Pointer[[]taker[E]] // replaced whole, under mu
}

type taker[E any] struct {
	prefix string
	take   func(name string, e E) bool
}

// Add has take asked for names that begin with prefix.
func (t *Takers[E]) Add(prefix string, take func(name string, e E) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []taker[E]
	if old := t.all.Load(); old != nil {
		all = slices.Clone(*old)
	}
	all = append(all, taker[E]{prefix, take})
	t.all.Store(&all)
}

// Take reports whether one has taken e.
func (t *Takers[E]) Take(name string, e E) bool {
	all := t.all.Load()
	if all == nil {
		return false
	}
	for _, taker := range *all {
		if strings.HasPrefix(name, taker.prefix) && taker.take(name, e) {
			return true
		}
	}
	return false
}

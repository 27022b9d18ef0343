// Package patience tells what has lasted for long, without a timer for each of what
// mostly does not.
package patience

import (
	"context"
	"sync"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/background"
)

// Most is how long the patience with a value lasts; half of it is the least.
const Most = 100 * time.Millisecond

// Patience is for values of type V. Make it with New. Its methods may be called
// concurrently, and do not block.
type Patience[V any] struct {
	tasks *background.Tasks
	over  func(those []V)

	mu         sync.Mutex
	young, old []V
	awake      bool // a task looks after them
}

// New returns the patience that calls over with those for which it has ended,
// whether they matter any more or not. It calls by one task, which runs as long as
// there are any.
func New[V any](tasks *background.Tasks, over func(those []V)) *Patience[V] {
	return &Patience[V]{tasks: tasks, over: over}
}

// With begins the patience with v, which lasts for ever once there are no more tasks.
func (p *Patience[V]) With(v V) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.awake && p.tasks.Go("patience", p.run) == nil {
		return
	}
	p.awake = true
	p.young = append(p.young, v)
}

func (p *Patience[V]) run(ctx context.Context) {
	ticks := time.NewTicker(Most / 2)
	defer ticks.Stop()
	for more := true; more; {
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return
		}
		var those []V
		if those, more = p.turn(); len(those) > 0 {
			p.over(those)
		}
	}
}

// turn makes the young old, and returns who was, and whether there is more.
func (p *Patience[V]) turn() (those []V, more bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	those, p.old, p.young = p.old, p.young, nil
	p.awake = len(p.old) > 0
	return those, p.awake
}

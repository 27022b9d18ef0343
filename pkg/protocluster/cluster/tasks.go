package cluster

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// gate counts work under way, and lets its owner wait for the end of it. Make it
// with newGate.
type gate struct {
	mu     sync.Mutex
	inside map[string]int // by what it does
	closed bool
	empty  chan struct{} // closed when closed and nobody is inside
}

func newGate() *gate { return &gate{inside: make(map[string]int), empty: make(chan struct{})} }

// enter begins work, which leave ends; false if the gate is closed.
func (g *gate) enter(what string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.inside[what]++
	return true
}

func (g *gate) leave(what string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inside[what]--; g.inside[what] == 0 {
		delete(g.inside, what)
	}
	if g.closed && len(g.inside) == 0 {
		close(g.empty)
	}
}

// Finish lets nobody enter and waits for those inside until ctx ends.
func (g *gate) Finish(ctx context.Context) error {
	g.mu.Lock()
	if !g.closed && len(g.inside) == 0 {
		close(g.empty)
	}
	g.closed = true
	g.mu.Unlock()
	select {
	case <-g.empty:
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.inside) == 0 {
		return nil
	}
	return fmt.Errorf("%v still at work: %w", slices.Sorted(maps.Keys(g.inside)), context.Cause(ctx))
}

// tasks are the goroutines of one owner, who ends them with Stop.
type tasks struct {
	*gate
	ctx    context.Context //nolint:containedctx // what all tasks run under; no call's
	cancel context.CancelFunc
}

// newTasks returns tasks that keep the values of ctx and outlive it.
func newTasks(ctx context.Context) *tasks {
	t := &tasks{gate: newGate()}
	t.ctx, t.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return t
}

// Go runs f until it returns; the context it gets ends with Stop and with
// cancel. Once there is nothing more to begin it returns nil, and f does not run.
func (t *tasks) Go(what string, f func(ctx context.Context)) (cancel context.CancelFunc) {
	if !t.enter(what) {
		return nil
	}
	ctx, cancel := context.WithCancel(t.ctx)
	go func() {
		defer t.leave(what)
		defer cancel()
		f(ctx)
	}()
	return cancel
}

// Stop ends all tasks and waits for them until ctx ends.
func (t *tasks) Stop(ctx context.Context) error {
	t.cancel()
	return t.Finish(ctx)
}

package actor

import (
	"context"
	"sync"
)

// lifetime is the context.Context behind an actor's Contexts. It is made when
// somebody asks for it, by whichever goroutine.
//
//nolint:containedctx // contexts are what it is made of
type lifetime struct {
	ctx    context.Context
	cancel context.CancelFunc

	mu     sync.Mutex
	meta   *Meta // whose deadline scoped has
	scoped context.Context
}

// scope returns what ends when the actor is told to stop, or at the deadline.
// Stopping and Stopped are handled after that, under a scope without an end.
func (c Context) scope() context.Context {
	switch c.message.(type) {
	case *Stopping, *Stopped:
		return context.Background() //nolint:forbidigo // it has no end
	}
	l := c.cell.lifetime()
	if c.meta == nil || c.meta.Deadline.IsZero() {
		return l.ctx
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.meta != c.meta {
		var cancel context.CancelFunc
		l.meta = c.meta
		l.scoped, cancel = context.WithDeadline(l.ctx, c.meta.Deadline)
		_ = cancel // it is released at the deadline, or with the actor
	}
	return l.scoped
}

func (c *cell) lifetime() *lifetime {
	l := c.life.Load()
	if l != nil {
		return l
	}
	l = new(lifetime)
	l.ctx, l.cancel = context.WithCancel(context.Background()) //nolint:forbidigo // it ends with the actor, not with a caller
	if !c.life.CompareAndSwap(nil, l) {
		l.cancel()
		l = c.life.Load()
	}
	if c.halted.Load() {
		l.cancel() // interrupt looked before the swap
	}
	return l
}

// interrupt ends the lifetime: the actor is told to stop.
func (c *cell) interrupt() {
	c.halted.Store(true)
	if l := c.life.Load(); l != nil {
		l.cancel()
	}
}

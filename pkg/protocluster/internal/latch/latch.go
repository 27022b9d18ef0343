// Package latch is for waiting until something has happened, which it does once.
package latch

import (
	"context"
	"sync"
)

// Latch is closed until Open. Its channel is made for who waits: most latches open
// before anybody does, and 24 bytes are a quarter of a channel's. The zero Latch is
// ready for use; its methods may be called concurrently.
type Latch struct {
	mu   sync.Mutex
	open bool
	done chan struct{} // nil: nobody waits
}

// Open ends all waits. It is called once.
func (l *Latch) Open() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = true
	if l.done != nil {
		close(l.done)
		l.done = nil
	}
}

// Wait returns nil once l is open, or why ctx ended before.
func (l *Latch) Wait(ctx context.Context) error {
	done := l.wait()
	if done == nil {
		return nil
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *Latch) wait() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done == nil && !l.open {
		l.done = make(chan struct{})
	}
	return l.done
}

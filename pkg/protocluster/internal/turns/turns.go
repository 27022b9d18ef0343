// Package turns has what begins or ends something happen one at a time, until
// nothing more is to begin.
package turns

import (
	"context"
	"fmt"
	"sync"
)

// Turns gives out turns. Make it with New. Its methods may be called concurrently.
type Turns struct {
	another string        // as errors call who has the turn
	why     error         // of being closed
	turn    chan struct{} // held by whoever has the turn

	mu        sync.Mutex
	closed    bool
	interrupt context.CancelCauseFunc // ends the context of who has the turn, or nil
}

// New returns turns that nobody has; errors call who does another such one. The
// contexts of turns that are interrupted, or begin after Close, end with why.
func New(another string, why error) *Turns {
	return &Turns{another: another, why: why, turn: make(chan struct{}, 1)}
}

// Take waits for a turn until ctx ends; the error wraps the cause of that. The
// context that it returns ends with ctx and with Interrupt; release must be called.
func (t *Turns) Take(ctx context.Context) (_ context.Context, release func(), err error) {
	select {
	case t.turn <- struct{}{}:
	default:
		select {
		case t.turn <- struct{}{}:
		case <-ctx.Done():
			return nil, nil, fmt.Errorf("%s is under way: %w", t.another, context.Cause(ctx))
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.interrupt = cancel
	if t.closed {
		cancel(t.why)
	}
	return ctx, func() {
		t.mu.Lock()
		t.interrupt = nil
		t.mu.Unlock()
		cancel(nil)
		<-t.turn
	}, nil
}

// Close has turns begin interrupted from now on.
func (t *Turns) Close() { t.close() }

// Interrupt is Close, and interrupts who has the turn.
func (t *Turns) Interrupt() {
	if interrupt := t.close(); interrupt != nil {
		interrupt(t.why)
	}
}

func (t *Turns) close() context.CancelCauseFunc {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	return t.interrupt
}

// Closed reports whether Close or Interrupt was called.
func (t *Turns) Closed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.closed
}

package background

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
)

// Turnstile is a Gate for what is too short to say what it does: it costs two
// atomic additions, where a Gate takes a lock twice. Make it with NewTurnstile. Its
// methods may be called concurrently.
type Turnstile struct {
	_      [64]byte     // what is beside inside would be fetched anew each time
	inside atomic.Int64 // how many are, and shut once nobody may enter
	_      [64]byte
	once   sync.Once
	empty  chan struct{} // closed when shut and nobody is inside
}

const shut = 1 << 62

// NewTurnstile returns a turnstile that lets anybody in.
func NewTurnstile() *Turnstile { return &Turnstile{empty: make(chan struct{})} }

// Enter begins work, which Leave ends; false if nobody may enter.
func (t *Turnstile) Enter() bool {
	if t.inside.Add(1) < shut {
		return true
	}
	t.Leave()
	return false
}

// Leave ends what Enter began.
func (t *Turnstile) Leave() {
	if t.inside.Add(-1) == shut {
		t.once.Do(func() { close(t.empty) })
	}
}

// Finish lets nobody enter and waits for those inside until ctx ends.
func (t *Turnstile) Finish(ctx context.Context) error {
	if t.inside.Or(shut)&^shut == 0 {
		t.once.Do(func() { close(t.empty) })
	}
	select {
	case <-t.empty:
		return nil
	case <-ctx.Done():
	}
	select {
	case <-t.empty: // both had happened
		return nil
	default:
		return fmt.Errorf("%d calls still under way: %w", t.inside.Load()&^shut, context.Cause(ctx))
	}
}

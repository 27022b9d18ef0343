// Package handover is a look-up's wait for an identity that other members held
// before: they are asked for it, ahead of the barriers by which they let go of
// everything that moved.
//
// A Desk starts a goroutine for each member that is asked; its tasks end them.
// Wait.For blocks, everything else does not.
package handover

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/background"
	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
	"github.com/protocluster/workshop/pkg/protocluster/internal/seat"
)

const (
	// Longest is how long a look-up waits.
	Longest = 5 * time.Second
	// Most is how many look-ups wait for one identity.
	Most = 64
)

// ErrTooLong says that a Wait has lasted for Longest.
var ErrTooLong = errors.New("it took too long")

// Desk is where the look-ups of a node wait, for identities of type K. Make it
// with New. Its methods may be called concurrently.
type Desk[K comparable] struct {
	tasks *background.Tasks
	ask   Ask[K]

	mu      sync.Mutex
	waiting map[K]int
}

// Ask has a member let go of id in a view, and reports whether it has.
type Ask[K comparable] func(ctx context.Context, id K, member string, view sealedview.Stamp) bool

// New returns a desk where nobody waits.
func New[K comparable](tasks *background.Tasks, ask Ask[K]) *Desk[K] {
	return &Desk[K]{tasks: tasks, ask: ask, waiting: make(map[K]int)}
}

// Expect begins a wait for id, which Close ends; nil if too many wait for it.
func (d *Desk[K]) Expect(id K) *Wait[K] {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waiting[id] >= Most {
		return nil
	}
	d.waiting[id]++
	return &Wait[K]{desk: d, id: id, deadline: time.Now().Add(Longest), answers: make(chan seat.Answer), over: make(chan struct{})}
}

func (d *Desk[K]) leave(id K) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waiting[id]--; d.waiting[id] == 0 {
		delete(d.waiting, id)
	}
}

// Wait is one look-up's. It is for one goroutine; nil has not begun.
type Wait[K comparable] struct {
	desk     *Desk[K]
	id       K
	deadline time.Time
	stamp    sealedview.Stamp // of the view in which
	asked    map[string]bool  // these members were asked
	got      []seat.Answer    // what they said so far
	answers  chan seat.Answer
	over     chan struct{}
}

// Close ends the wait.
func (w *Wait[K]) Close() {
	if w != nil {
		close(w.over)
		w.desk.leave(w.id)
	}
}

// Said is what members have said of the identity.
func (w *Wait[K]) Said() []seat.Answer {
	if w == nil {
		return nil
	}
	return w.got
}

// For asks those who are owing by a claim that was not held, and returns nil when
// another is worth while; or ErrTooLong, or why ctx ended.
func (w *Wait[K]) For(ctx context.Context, c seat.Claimed) error {
	if w.stamp != c.Stamp {
		w.stamp, w.asked, w.got = c.Stamp, make(map[string]bool), nil
	}
	for _, member := range c.Owing {
		if !w.asked[member] {
			w.asked[member] = true
			w.send(seat.Answer{View: w.stamp, Member: member})
		}
	}
	enough := time.NewTimer(time.Until(w.deadline))
	defer enough.Stop()
	select {
	case a := <-w.answers:
		w.got = append(w.got, a)
	case <-c.Changed:
	case <-enough.C:
		return ErrTooLong
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// send asks a member. If that fails, its barrier is waited for.
func (w *Wait[K]) send(a seat.Answer) {
	w.desk.tasks.Go("hand over", func(ctx context.Context) {
		ctx, cancel := context.WithDeadline(ctx, w.deadline)
		defer cancel()
		if !w.desk.ask(ctx, w.id, a.Member, a.View) {
			return
		}
		select {
		case w.answers <- a:
		case <-w.over:
		}
	})
}

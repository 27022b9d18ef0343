// Package flights has everybody who asks the same question share one answer.
package flights

import (
	"context"
	"fmt"
	"sync"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/background"
)

// Flights are the look-ups under way, one for each K, which everybody who asks for
// it shares. A look-up ends early only when nobody waits for it. Make it with New.
// Its methods may be called concurrently.
type Flights[K comparable] struct {
	system *actor.System
	tasks  *background.Tasks

	mu      sync.Mutex
	running map[K]*flight
}

// LookUp finds the actor of id.
type LookUp[K comparable] func(ctx context.Context, id K) (*actor.PID, error)

type flight struct {
	result  *actor.Future // so that a handler that waits frees its worker
	waiting int           // guarded by Flights.mu
	cancel  context.CancelFunc
}

// New returns Flights whose look-ups are tasks.
func New[K comparable](system *actor.System, tasks *background.Tasks) *Flights[K] {
	return &Flights[K]{system: system, tasks: tasks, running: make(map[K]*flight)}
}

// Join waits for the look-up of id under way, or begins one, until ctx ends. The
// error is the look-up's, or closed once tasks begin nothing more; one of ctx is
// an actor.ErrNotDelivered.
func (f *Flights[K]) Join(ctx context.Context, id K, closed error, lookUp LookUp[K]) (*actor.PID, error) {
	fl := f.board(id, lookUp)
	if fl == nil {
		return nil, closed
	}
	defer f.leave(id, fl)
	pid, err := fl.result.Wait(ctx)
	switch {
	case err == nil:
		return pid.(*actor.PID), nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("look-up: %w (%w)", ctx.Err(), actor.ErrNotDelivered)
	}
	return nil, err
}

// board finds or begins the flight; nil if there can be none.
func (f *Flights[K]) board(id K, lookUp LookUp[K]) *flight {
	f.mu.Lock()
	defer f.mu.Unlock()
	fl := f.running[id]
	if fl == nil {
		fl = &flight{result: f.system.NewFuture(0)}
		fl.cancel = f.tasks.Go("look-up", func(ctx context.Context) {
			pid, err := lookUp(ctx, id)
			f.land(id, fl)
			if err != nil {
				fl.result.Fail(err)
				return
			}
			fl.result.Complete(pid)
		})
		if fl.cancel == nil {
			return nil
		}
		f.running[id] = fl
	}
	fl.waiting++
	return fl
}

func (f *Flights[K]) leave(id K, fl *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fl.waiting--; fl.waiting == 0 {
		fl.cancel()
		f.forget(id, fl)
	}
}

func (f *Flights[K]) land(id K, fl *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forget(id, fl)
}

// forget has the next caller begin anew; f.mu is held.
func (f *Flights[K]) forget(id K, fl *flight) {
	if f.running[id] == fl {
		delete(f.running, id)
	}
}

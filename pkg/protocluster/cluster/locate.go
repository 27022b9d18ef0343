package cluster

import (
	"context"
	"fmt"
	"sync"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/background"
)

// locate returns the PID of id's activation, from the cache if it is known in
// the current view.
func (n *node) locate(ctx context.Context, id Identity) (*actor.PID, error) {
	if pid := n.cache.get(id, n.View().Epoch); pid != nil {
		n.stats.hits.Add(1)
		return pid, nil
	}
	n.stats.misses.Add(1)
	return n.flights.join(ctx, id, n.lookUp)
}

// lookUp asks the locator. What it finds counts for the view in which it began.
func (n *node) lookUp(ctx context.Context, id Identity) (*actor.PID, error) {
	epoch := n.View().Epoch
	pid, err := n.locator.Locate(ctx, id)
	switch {
	case ctx.Err() != nil:
		return nil, ErrClosed // or nobody waits any more
	case err != nil:
		return nil, err
	}
	if _, member := n.View().At(pid.Address); !member {
		return nil, fmt.Errorf("cluster: %s was found at %s, which is no member's address: %w",
			id.text(), pid.Address, actor.ErrNotDelivered)
	}
	n.cache.put(id, pid, epoch)
	return pid, nil
}

// flights are the look-ups under way, one for an identity, which everybody who
// asks for it shares. A look-up ends early only when nobody waits for it.
type flights struct {
	system *actor.System
	tasks  *background.Tasks

	mu      sync.Mutex
	running map[Identity]*flight
}

type flight struct {
	result  *actor.Future // so that a handler that waits frees its worker
	waiting int           // guarded by flights.mu
	cancel  context.CancelFunc
}

func newFlights(system *actor.System, tasks *background.Tasks) *flights {
	return &flights{system: system, tasks: tasks, running: make(map[Identity]*flight)}
}

func (f *flights) join(ctx context.Context, id Identity, lookUp func(context.Context, Identity) (*actor.PID, error)) (*actor.PID, error) {
	fl := f.board(id, lookUp)
	if fl == nil {
		return nil, ErrClosed
	}
	defer f.leave(id, fl)
	pid, err := fl.result.Wait(ctx)
	switch {
	case err == nil:
		return pid.(*actor.PID), nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("cluster: look-up of %s: %w (%w)", id.text(), ctx.Err(), actor.ErrNotDelivered)
	}
	return nil, err
}

func (f *flights) board(id Identity, lookUp func(context.Context, Identity) (*actor.PID, error)) *flight {
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

func (f *flights) leave(id Identity, fl *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fl.waiting--; fl.waiting == 0 {
		fl.cancel()
		f.forget(id, fl)
	}
}

func (f *flights) land(id Identity, fl *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forget(id, fl)
}

// forget has the next caller begin anew; f.mu is held.
func (f *flights) forget(id Identity, fl *flight) {
	if f.running[id] == fl {
		delete(f.running, id)
	}
}

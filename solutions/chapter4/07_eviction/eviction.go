// Package eviction is exercise 4.7: forget without losing.
package eviction

import (
	"context"
	//workshop:solution
	"fmt"
	"maps"
	"slices"
	"sync"
	//workshop:end
	"time"

	//workshop:stub "github.com/protocluster/workshop/chapters/todo"
	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// Policy says when an actor is evicted.
type Policy struct {
	Idle  time.Duration // unused for so long; 0 means never
	Sweep time.Duration // how often Run looks; more than 0
	Most  int           // how many may live; 0 means any number
}

// quiet reports whether a message is no use of an actor: those of its life, and
// those that say so themselves, such as a health check.
func quiet(message any) bool {
	switch message.(type) {
	case *actor.Started, *actor.Restarting, *actor.Stopping, *actor.Stopped, *actor.PoisonPill,
		*actor.Terminated, *actor.ReceiveTimeout, actor.NotInfluenceReceiveTimeout:
		return true
	}
	return false
}

// Passivator evicts the actors of one member that nobody uses. Of an identity
// there is one at most, from Started to Ended. Its methods may be called
// concurrently.
type Passivator struct {
	policy Policy
	stop   func(id cluster.Identity)
	//workshop:solution

	mu       sync.Mutex
	living   map[cluster.Identity]*activation // guarded by mu, as is stopping
	stopping map[cluster.Identity][]any       // and what came for them since then
	//workshop:end
	//workshop:stub // Your fields.
}

//workshop:solution

// activation is one actor of an identity, until it is stopped.
type activation struct {
	used time.Time // when it started, or had its last message handled
	busy int       // messages that are queued or being handled
}

//workshop:end

// New returns a Passivator on whose member nothing lives. It ends an actor by
// stop, which queues a poison pill and does not block: the actor handles what was
// queued before, and ends; then Ended is called, perhaps before stop returns.
func New(p Policy, stop func(id cluster.Identity)) *Passivator {
	//workshop:solution
	return &Passivator{policy: p, stop: stop, living: make(map[cluster.Identity]*activation), stopping: make(map[cluster.Identity][]any)}
	//workshop:end
	//workshop:stub return &Passivator{policy: p, stop: stop}
}

// Run stops whom sweep names, once every Policy.Sweep, until ctx ends. It blocks,
// and starts no goroutine.
func (p *Passivator) Run(ctx context.Context) {
	ticker := time.NewTicker(p.policy.Sweep)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			for _, id := range p.sweep() {
				p.stop(id)
			}
		case <-ctx.Done():
			return
		}
	}
}

// sweep returns who has to go, and is being stopped from now on: who is idle for
// Policy.Idle and, while more than Policy.Most live, who is idle for the longest
// time. Idle is who has no message queued or being handled.
func (p *Passivator) sweep() (gone []cluster.Identity) {
	//workshop:solution
	p.mu.Lock()
	defer p.mu.Unlock()
	longest := func(x, y cluster.Identity) int { return p.living[x].used.Compare(p.living[y].used) }
	for _, id := range slices.SortedFunc(maps.Keys(p.living), longest) {
		a := p.living[id]
		due := p.policy.Idle > 0 && time.Since(a.used) >= p.policy.Idle
		surplus := p.policy.Most > 0 && len(p.living) > p.policy.Most
		if a.busy == 0 && (due || surplus) {
			delete(p.living, id)
			p.stopping[id] = nil
			gone = append(gone, id)
		}
	}
	return gone
	//workshop:end
	//workshop:stub return nil
}

// Started says that an actor of id begins. It is an error if there is one that
// has not ended.
func (p *Passivator) Started(id cluster.Identity) error {
	//workshop:solution
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, stopping := p.stopping[id]; stopping || p.living[id] != nil {
		return fmt.Errorf("eviction: %s has not ended yet", id)
	}
	p.living[id] = &activation{used: time.Now()}
	return nil
	//workshop:end
	//workshop:stub return todo.Error("4.7")
}

// Deliver is called before a message is queued. True means that it must not be,
// because the actor is being stopped: the message is kept for the next one. A
// quiet message is never kept.
func (p *Passivator) Deliver(id cluster.Identity, message any) (held bool) {
	//workshop:solution
	p.mu.Lock()
	defer p.mu.Unlock()
	if quiet(message) {
		return false
	}
	if kept, stopping := p.stopping[id]; stopping {
		p.stopping[id] = append(kept, message)
		return true
	}
	if a := p.living[id]; a != nil {
		a.busy++
	}
	return false
	//workshop:end
	//workshop:stub return quiet(message) && false
}

// Handled is called when the handler of a message has returned. The actor has
// been used until now, unless the message is quiet.
func (p *Passivator) Handled(id cluster.Identity, message any) {
	//workshop:solution
	p.mu.Lock()
	defer p.mu.Unlock()
	if a := p.living[id]; a != nil && !quiet(message) {
		a.busy--
		a.used = time.Now()
	}
	//workshop:end
}

// Ended says that the actor of id has ended, whoever stopped it, and returns what
// was kept for the next one, in the order in which it came.
func (p *Passivator) Ended(id cluster.Identity) (held []any) {
	//workshop:solution
	p.mu.Lock()
	defer p.mu.Unlock()
	held = p.stopping[id]
	delete(p.stopping, id)
	delete(p.living, id)
	return held
	//workshop:end
	//workshop:stub return nil
}

// Package lookup is exercise 4.4: get or activate, and exactly one.
package lookup

import (
	"context"
	//workshop:solution
	"fmt"
	"slices"
	"sync"

	//workshop:end
	//workshop:stub
	//workshop:stub "github.com/protocluster/workshop/chapters/todo"
	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// Node is what a Locator may do on its member. All methods may be called
// concurrently.
type Node interface {
	// Self is the member itself.
	Self() cluster.Member
	// Owner is the member that hosts id.
	Owner(id cluster.Identity) (cluster.Member, error)
	// Start starts an actor for id, another one at each call, and returns once
	// it has started, which may take long, or when ctx ends.
	Start(ctx context.Context, id cluster.Identity) (*actor.PID, error)
	// Ask has the Locator of m Serve id.
	Ask(ctx context.Context, m cluster.Member, id cluster.Identity) (*actor.PID, error)
}

// Locator finds or makes the actor of an identity, for one member. It starts a
// goroutine for each activation, which ends with Node.Start. Its methods may be
// called concurrently.
type Locator struct {
	node Node
	//workshop:solution

	mu     sync.Mutex
	active map[cluster.Identity]*activation // guarded by mu
	//workshop:end
	//workshop:stub // Your fields.
}

//workshop:solution

// activation is one actor of an identity, from before its start to its end.
type activation struct {
	started chan struct{} // closed when pid and err are known
	pid     *actor.PID
	err     error
	ended   []*actor.PID // who ended during the start; guarded by Locator.mu
}

//workshop:end

// New returns the locator of a member on which nothing lives yet.
func New(node Node) *Locator {
	//workshop:solution
	return &Locator{node: node, active: make(map[cluster.Identity]*activation)}
	//workshop:end
	//workshop:stub return &Locator{node: node}
}

// Locate returns the PID of id's actor, which lives at its owner and is started
// there if need be. It blocks until that is known or ctx ends.
func (l *Locator) Locate(ctx context.Context, id cluster.Identity) (*actor.PID, error) {
	//workshop:solution
	owner, err := l.node.Owner(id)
	switch {
	case err != nil:
		return nil, err
	case owner.ID == l.node.Self().ID:
		return l.activate(ctx, id)
	}
	return l.node.Ask(ctx, owner, id)
	//workshop:end
	//workshop:stub return nil, todo.Error("4.4")
}

// Serve answers another member's Node.Ask: as Locate does if id belongs here,
// else with a *cluster.MovedError that names the owner.
func (l *Locator) Serve(ctx context.Context, id cluster.Identity) (*actor.PID, error) {
	//workshop:solution
	owner, err := l.node.Owner(id)
	switch {
	case err != nil:
		return nil, err
	case owner.ID != l.node.Self().ID:
		return nil, &cluster.MovedError{ID: id, Owner: owner}
	}
	return l.activate(ctx, id)
	//workshop:end
	//workshop:stub return nil, todo.Error("4.4")
}

// Ended says that the actor pid of id has ended: it is forgotten, and no newer
// one is. It may come before Node.Start has returned pid.
func (l *Locator) Ended(id cluster.Identity, pid *actor.PID) {
	//workshop:solution
	l.mu.Lock()
	defer l.mu.Unlock()
	switch a := l.active[id]; {
	case a == nil:
	case a.pid == nil:
		a.ended = append(a.ended, pid)
	case a.pid.Equal(pid):
		delete(l.active, id)
	}
	//workshop:end
}

//workshop:solution

// activate returns the one actor of id on this member, once it has started.
func (l *Locator) activate(ctx context.Context, id cluster.Identity) (*actor.PID, error) {
	l.mu.Lock()
	a := l.active[id]
	if a == nil {
		a = &activation{started: make(chan struct{})}
		l.active[id] = a
		go l.start(context.WithoutCancel(ctx), id, a) // others wait for it too
	}
	l.mu.Unlock()
	select {
	case <-a.started:
		return a.pid, a.err
	case <-ctx.Done():
		return nil, fmt.Errorf("lookup: %s has not started yet: %w (%w)", id, ctx.Err(), actor.ErrNotDelivered)
	}
}

// start tells all who wait for a how its start went. Only one that lives is
// remembered.
func (l *Locator) start(ctx context.Context, id cluster.Identity, a *activation) {
	pid, err := l.node.Start(ctx, id)
	l.mu.Lock()
	defer l.mu.Unlock()
	a.pid, a.err = pid, err
	if err != nil || slices.ContainsFunc(a.ended, pid.Equal) {
		delete(l.active, id)
	}
	close(a.started)
}

//workshop:end

package cluster

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/latest"
	"github.com/protocluster/workshop/pkg/protocluster/internal/turns"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

// closeTimeout bounds the end of a node, which nobody may cancel.
const closeTimeout = 5 * time.Second

var (
	// ErrNotJoined says that the node has not joined or connected yet.
	ErrNotJoined = errors.New("cluster: not joined; call Join or Connect first")
	// ErrJoined says that the node has joined or connected before.
	ErrJoined = errors.New("cluster: joined already; make another node with New for another part in the cluster")
	// ErrClosed says that the node has left.
	ErrClosed = errors.New("cluster: closed; this node has left")
)

// Cluster is one node of a cluster: a member that hosts virtual actors, or a
// client that only talks to them. Its methods may be called concurrently.
type Cluster struct {
	system *actor.System
	config *Config
	view   *latest.Value[*View]
	node   atomic.Pointer[node] // nil unless the node takes part
	stats  counters

	turns *turns.Turns  // of Join, Connect, Leave and Close; closed by Close, or when the end has begun
	done  chan struct{} // closed when the node has left, after these were set

	ended      bool  // as are all of these, guarded by the turn
	unfinished error // what a Leave did not do before the end
	outcome    error // of the end
}

// New returns a node that has not joined yet. What is wrong in config is told
// by Join. The node takes system over: Leave and Close shut it down.
func New(system *actor.System, config *Config) *Cluster {
	if config == nil {
		config = new(Config)
	}
	return &Cluster{system: system, config: config, view: latest.New(new(View)),
		turns: turns.New("cluster: another Join or Leave", ErrClosed), done: make(chan struct{})}
}

// System is the actor system that the node is made of.
func (c *Cluster) System() *actor.System { return c.system }

// Remote is how the node talks to others, nil before Join and after Leave.
func (c *Cluster) Remote() *remote.Remote {
	if n := c.node.Load(); n != nil {
		return n.remote
	}
	return nil
}

// View returns the membership as this node knows it now; without members before
// Join.
func (c *Cluster) View() *View {
	view, _ := c.view.Load()
	return view
}

// Views yields the current view and then each newer one, the newest if several
// came meanwhile, until ctx ends or the node has left.
func (c *Cluster) Views(ctx context.Context) iter.Seq[*View] {
	return c.view.All(ctx, c.done)
}

// Join makes the node a member: it listens, announces itself and returns once
// it is up in its own view. Every fault of the configuration is told in one
// error. If ctx ends first, the error says what was missing; whenever Join
// fails, nothing that it began goes on, and it may be called again.
func (c *Cluster) Join(ctx context.Context) error { return c.start(ctx, false) }

// Connect makes the node a client: it sees the members and talks to virtual
// actors but listens nowhere and hosts nothing. It returns once it knows a
// member that is up, and fails as Join does.
func (c *Cluster) Connect(ctx context.Context) error { return c.start(ctx, true) }

func (c *Cluster) start(ctx context.Context, client bool) error {
	ctx, release, err := c.turns.Take(ctx)
	if err != nil {
		return err
	}
	defer release()
	switch {
	case c.turns.Closed():
		return ErrClosed
	case c.node.Load() != nil:
		return ErrJoined
	}
	n := newNode(ctx, c, client)
	if err := n.start(ctx); err != nil {
		c.node.Store(nil)
		return c.failure("join", err, n.stop(ctx))
	}
	return nil
}

// Leave takes the node out of the cluster: it tells the others, hands over what
// it hosts, lets every virtual actor finish what is queued and every call of
// this node's user what it waits for, withdraws and shuts the actor system down. When ctx ends, it goes on without waiting for others,
// and returns within seconds. Every step is taken even if one before it failed;
// their errors are joined. A second call waits for the first and returns what is
// known then.
func (c *Cluster) Leave(ctx context.Context) error { return c.leave(ctx, true) }

// Close is Leave without handing over and without letting anybody finish. It
// cuts a Join or Leave that is under way short.
func (c *Cluster) Close() error {
	c.turns.Interrupt()
	return c.leave(context.Background(), false) //nolint:forbidigo // callers defer a Close, and have no context for it
}

func (c *Cluster) leave(ctx context.Context, drain bool) error {
	ctx, release, err := c.turns.Take(ctx)
	if err != nil {
		return err
	}
	defer release()
	if !c.ended {
		c.end(ctx, drain)
	}
	if drain {
		return errors.Join(c.unfinished, c.outcome)
	}
	return c.outcome
}

func (c *Cluster) end(ctx context.Context, drain bool) {
	var stopped error
	if n := c.node.Load(); n != nil {
		if drain {
			c.unfinished = c.failure("leave", n.retire(ctx))
		}
		c.turns.Close()
		c.node.Store(nil)
		stopped = n.stop(ctx)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	c.outcome = c.failure("leave", stopped, c.system.Shutdown(ctx))
	c.turns.Close()
	c.ended = true
	close(c.done)
}

// failure joins errors and says what they are about.
func (c *Cluster) failure(what string, errs ...error) error {
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("cluster: %s %q: %w", what, c.config.Name, err)
	}
	return nil
}

// enter begins a call of the node's user, or says why there is none; n.calls.leave
// ends it.
func (c *Cluster) enter() (*node, error) {
	switch n := c.node.Load(); {
	case n != nil && n.calls.Enter():
		return n, nil
	case n != nil || c.turns.Closed():
		return nil, ErrClosed
	}
	return nil, ErrNotJoined
}

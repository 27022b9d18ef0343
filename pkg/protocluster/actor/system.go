package actor

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/protocluster/workshop/pkg/protocluster/internal/dispatch"
	"github.com/protocluster/workshop/pkg/protocluster/internal/names"
	"github.com/protocluster/workshop/pkg/protocluster/internal/timers"
)

// System is a set of actors that run on one pool of workers. Its methods may be
// called concurrently.
type System struct {
	// Root is the system itself, under the name by which users of
	// Proto.Actor know it.
	Root *System

	id        string
	logger    *slog.Logger
	events    EventStream
	guardian  *Strategy
	workers   *dispatch.Pool
	registry  *names.Registry[*PID]
	scheduler Scheduler
	wakers    sync.Pool // of chan struct{} with room for one: see Future.enlist
	alarms    timers.Alarms
	serial    atomic.Uint64 // of the last name made up
	outside   atomic.Pointer[outside]

	missing names.Takers[Envelope]

	mu       sync.Mutex
	stopping bool
	live     int // actors that have not ended

	gone   chan struct{} // closed when stopping and no actor lives, or nobody waits for that
	finish func()        // closes gone
}

// outside is how a system reaches other nodes and is known there.
type outside struct {
	address   string
	transport Transport // nil: not at all
}

// SystemOption sets one property of a System.
type SystemOption func(*systemConfig)

type systemConfig struct {
	logger   *slog.Logger
	workers  int
	guardian Strategy
}

// WithLogger sets where failures are logged; slog.Default by default.
func WithLogger(l *slog.Logger) SystemOption { return func(c *systemConfig) { c.logger = l } }

// WithWorkers bounds the actors that compute at the same time; 0, the default,
// means twice GOMAXPROCS. A handler that blocks does not count.
func WithWorkers(n int) SystemOption { return func(c *systemConfig) { c.workers = n } }

// WithGuardian sets what happens to root actors that fail; AllForOne has no
// meaning there.
func WithGuardian(s Strategy) SystemOption { return func(c *systemConfig) { c.guardian = s } }

// NewSystem returns a system without actors. End it with Shutdown.
func NewSystem(opts ...SystemOption) *System {
	config := systemConfig{}
	for _, opt := range opts {
		opt(&config)
	}
	s := &System{
		id:       rand.Text(),
		logger:   cmp.Or(config.logger, slog.Default()),
		guardian: &config.guardian,
		workers:  dispatch.New(config.workers),
		registry: names.New[*PID](),
		gone:     make(chan struct{}),
	}
	s.Root, s.scheduler.system = s, s
	s.wakers.New = func() any { return make(chan struct{}, 1) }
	s.finish = sync.OnceFunc(func() { close(s.gone) })
	s.outside.Store(&outside{address: localAddress})
	return s
}

// ID is random and new for each system: it tells a node from the one that had
// its address before.
func (s *System) ID() string { return s.id }

// Address is the node's, host:port, or "local" before Attach.
func (s *System) Address() string { return s.outside.Load().address }

// Logger is where the system logs.
func (s *System) Logger() *slog.Logger { return s.logger }

// Events is where dead letters and what else happens are published.
func (s *System) Events() *EventStream { return &s.events }

// Scheduler sends messages later.
func (s *System) Scheduler() *Scheduler { return &s.scheduler }

// Attach gives the system an address and the transport to all others. PIDs made
// from now on carry it.
func (s *System) Attach(address string, t Transport) {
	s.outside.Store(&outside{address, t})
}

// nextID makes up a name that no other incarnation of this node has used.
func (s *System) nextID(prefix string) string {
	return prefix + s.id[:6] + strconv.FormatUint(s.serial.Add(1), 36)
}

// Spawn starts a root actor under a name of its own, or returns nil if the
// system has been shut down.
func (s *System) Spawn(p *Props) *PID {
	pid, _ := s.SpawnNamed(p, "")
	return pid
}

// SpawnNamed starts a root actor called name; "" picks a name. It fails with
// ErrNameTaken or ErrStopped, and does not wait for the actor's *Started.
func (s *System) SpawnNamed(p *Props, name string) (*PID, error) {
	if name == "" {
		name = s.nextID("$")
	}
	c, err := s.spawn(p, nil, name)
	if err != nil {
		return nil, err
	}
	c.wake()
	s.mu.Lock()
	late := s.stopping // Shutdown may not have seen it
	s.mu.Unlock()
	if late {
		c.postSystem(&Stop{})
	}
	return &c.pid, nil
}

// spawn registers a cell, which begins to live with its first wake.
func (s *System) spawn(p *Props, parent *cell, id string) (*cell, error) {
	if p == nil {
		return nil, fmt.Errorf("actor: spawn %q: no Props; make them with PropsFromProducer or PropsFromFunc", id)
	}
	c := new(cell)
	if p.guard != nil {
		g := &guarded{}
		c, g.guarded, g.guard = &g.cell, g, p.guard
	}
	c.system, c.props, c.parent, c.Turn = s, p, parent, c
	c.limit, c.wraps = int32(min(p.mailboxLimit, math.MaxInt32)), len(p.senders) > 0
	c.pid.Address, c.pid.ID = s.Address(), id
	c.pid.cell.Store(c)
	c.alerts.Store(1)
	s.mu.Lock()
	if s.stopping && parent == nil {
		s.mu.Unlock()
		return nil, fmt.Errorf("actor: spawn %q: %w", id, ErrStopped)
	}
	s.live++
	s.mu.Unlock()
	if !s.registry.Add(id, &c.pid) {
		s.ended()
		return nil, fmt.Errorf("actor: spawn %q: %w", id, ErrNameTaken)
	}
	return c, nil
}

// ended takes note that an actor is gone.
func (s *System) ended() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live--; s.live == 0 && s.stopping {
		s.finish()
	}
}

// Stop ends an actor after the message that it is handling; what waits behind
// that becomes dead letters.
func (s *System) Stop(pid *PID) { s.sendSystem(pid, &Stop{}) }

// Poison ends an actor after the messages that it has been sent.
func (s *System) Poison(pid *PID) { s.Send(pid, &PoisonPill{}) }

// StopAndWait is Stop, and waits until the actor has ended or ctx does. An
// actor that does not exist has ended.
func (s *System) StopAndWait(ctx context.Context, pid *PID) error {
	return s.endAndWait(ctx, pid, s.Stop)
}

// PoisonAndWait is Poison, and waits as StopAndWait does.
func (s *System) PoisonAndWait(ctx context.Context, pid *PID) error {
	return s.endAndWait(ctx, pid, s.Poison)
}

func (s *System) endAndWait(ctx context.Context, pid *PID, end func(*PID)) error {
	f := s.NewFuture(0)
	s.sendSystem(pid, &Watch{Watcher: f.PID()})
	end(pid)
	_, err := f.Wait(ctx)
	if err != nil {
		s.sendSystem(pid, &Unwatch{Watcher: f.PID()})
		f.Fail(ErrStopped) // frees its id
		return fmt.Errorf("actor: stop %v: %w", pid, err)
	}
	return nil
}

// Shutdown stops every actor, waits until they have ended and then for the
// workers. If ctx ends first, it returns an error; an actor whose handler still
// runs then may stop after it, and no other gets a turn. Shutdown may be called
// more than once; not by a handler, which would wait for itself.
func (s *System) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.stopping = true
	if s.live == 0 {
		s.finish()
	}
	s.mu.Unlock()
	for pid := range s.registry.All() {
		if c := cellOf(pid); c != nil && c.parent == nil {
			c.postSystem(&Stop{})
		}
	}
	s.scheduler.timers.Close()
	err := await(ctx, s.gone, "actors")
	s.finish() // what has not ended by now never does
	return errors.Join(err, await(ctx, s.workers.Close(), "workers"))
}

// await waits for done until ctx ends.
func await(ctx context.Context, done <-chan struct{}, who string) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	select {
	case <-done: // both had happened
		return nil
	default:
		return fmt.Errorf("actor: shutdown: %s still run: %w", who, context.Cause(ctx))
	}
}

// HandleMissing has take called with each message for an id of this node that
// begins with prefix and that no actor has; true means that take took it. take
// must not block.
func (s *System) HandleMissing(prefix string, take func(id string, e Envelope) bool) {
	s.missing.Add(prefix, take)
}

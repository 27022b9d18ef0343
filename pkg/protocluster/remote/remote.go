package remote

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
)

// phase is where a Remote stands; it never goes back.
type phase uint8

const (
	fresh phase = iota
	running
	stopped
)

// Remote is what a node has of the network: it carries messages to and from the
// actors of other nodes. Its methods may be called concurrently and, but for
// Start, Stop and Spawn, do not block.
type Remote struct {
	system  *actor.System
	config  *Config
	types   *Types
	seed    maphash.Seed
	buffers sync.Pool // of *[]byte, to encode into

	leaving chan struct{}  // closed when Stop begins
	gone    chan struct{}  // closed when Stop is over
	work    sync.WaitGroup // every goroutine
	server  *grpc.Server
	run     func(*link) // starts a link
	cancel  context.CancelFunc
	spawner *actor.PID

	mu       sync.RWMutex
	phase    phase
	links    map[string]*link    // by address
	accepted map[string]*session // that peers opened, by their addresses
	sessions map[string]*session // all, by their secrets
	dead     map[string]error    // systems that are gone for good, and why
	rejected map[string]int
}

// New returns a Remote for system, which Start connects.
func New(system *actor.System, config *Config) *Remote {
	config = config.complete()
	types, _ := NewTypes(config.Types...) // Start reports the faults
	return &Remote{
		system: system, config: config, types: types, seed: maphash.MakeSeed(), buffers: sync.Pool{New: func() any { return new([]byte) }},
		leaving: make(chan struct{}), gone: make(chan struct{}),
		links: map[string]*link{}, accepted: map[string]*session{}, sessions: map[string]*session{},
		dead: map[string]error{}, rejected: map[string]int{},
	}
}

// Start listens, unless the node is a client, and gives the system its address.
// It returns every fault of the configuration at once, and may be called again
// after that. ctx bounds the start and nothing after it.
func (r *Remote) Start(ctx context.Context) error {
	faults := r.config.Validate()
	address, listener, err := r.listen(ctx)
	r.mu.Lock()
	if r.phase != fresh {
		err = errors.New("remote: started before; make a new Remote for each start")
	}
	if err = errors.Join(faults, err); err != nil {
		r.mu.Unlock()
		if listener != nil {
			_ = listener.Close()
		}
		return err
	}
	ctx, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
	r.phase, r.server = running, r.newServer()
	r.run = func(l *link) { r.work.Go(func() { l.run(ctx) }) }
	r.mu.Unlock()
	r.system.Attach(address, r)
	r.work.Go(func() { r.beat(ctx) })
	if listener != nil {
		r.work.Go(func() { _ = r.server.Serve(listener) }) // until Stop
		if tcp, ok := listener.Addr().(*net.TCPAddr); ok && r.config.TLS == nil && !tcp.IP.IsLoopback() {
			r.system.Logger().Warn("remote: listening without TLS: whoever reaches this node can send to its actors", "address", address)
		}
	}
	if r.spawner, err = r.system.SpawnNamed(r.spawnerProps(), spawnerName); err != nil {
		return errors.Join(err, r.Stop(ctx))
	}
	return nil
}

// listen returns the node's address and, unless it is a client, a listener.
func (r *Remote) listen(ctx context.Context) (address string, l net.Listener, err error) {
	c := r.config
	if c.Client {
		return clientPrefix + r.system.ID(), nil, nil
	}
	l, err = c.Network.Listen(ctx, net.JoinHostPort(c.Host, strconv.Itoa(c.Port)))
	if err != nil {
		return "", nil, fmt.Errorf("remote: %w; is the port in use, or the host another machine's?", err)
	}
	if c.Advertised != "" {
		return c.Advertised, l, nil
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return net.JoinHostPort(c.Host, port), l, err
}

// Address is where other nodes reach this one; a client's is "client-" and its
// system's ID.
func (r *Remote) Address() string { return r.system.Address() }

// Types is how this node encodes messages.
func (r *Remote) Types() *Types { return r.types }

// Rejected counts what other nodes sent and this one refused, by reason.
func (r *Remote) Rejected() map[string]int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return maps.Clone(r.rejected)
}

func (r *Remote) remember(s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sessions[s.secret] = s
}

func (r *Remote) forget(s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.sessions, s.secret)
	if r.accepted[s.address] == s {
		delete(r.accepted, s.address)
	}
}

func (r *Remote) everything() ([]*session, []*link) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Collect(maps.Values(r.sessions)), slices.Collect(maps.Values(r.links))
}

// beat keeps sessions alive and ends those whose peers are silent; it forgets
// links that are of no use any more.
func (r *Remote) beat(ctx context.Context) {
	ticker, last := time.NewTicker(r.config.Heartbeat), time.Now()
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		late := time.Since(last) > 2*r.config.Heartbeat // this process slept: others may have spoken meanwhile
		last = time.Now()
		sessions, links := r.everything()
		for _, s := range sessions {
			if silence := s.silence(); silence > r.config.DeadAfter && !late {
				s.fail(fault(ErrUnreachable, "%s has been silent for %v", s.address, silence.Round(time.Millisecond)))
			}
			s.control.beat.Store(true)
			poke(s.control.wake)
		}
		for _, l := range links {
			if l.tidy() {
				r.mu.Lock()
				if r.links[l.address] == l {
					delete(r.links, l.address)
				}
				r.mu.Unlock()
			}
		}
	}
}

// Stop refuses new messages, sends what waits for nodes that are connected,
// says goodbye and closes every connection. It ends when that is done, when
// ctx ends or after DeadAfter, and may be called more than once.
func (r *Remote) Stop(ctx context.Context) error {
	r.mu.Lock()
	before := r.phase
	r.phase = stopped
	r.mu.Unlock()
	switch before {
	case fresh:
		close(r.gone)
		return nil
	case stopped:
		<-r.gone
		return nil
	}
	defer close(r.gone)
	close(r.leaving)
	sessions, links := r.everything()
	err := r.await(ctx, sessions, links)
	if r.spawner != nil {
		err = errors.Join(err, r.system.StopAndWait(ctx, r.spawner))
	}
	for _, s := range sessions {
		s.fail(r.stopping())
	}
	for _, l := range links {
		l.close(r.stopping(), 0)
	}
	r.cancel()
	r.server.Stop()
	r.work.Wait()
	return err
}

// await waits until the peers have ended the sessions to which this node says
// goodbye.
func (r *Remote) await(ctx context.Context, sessions []*session, links []*link) error {
	ctx, cancel := context.WithTimeout(ctx, r.config.DeadAfter)
	defer cancel()
	var ends []<-chan struct{}
	for _, s := range sessions {
		ends = append(ends, s.ended)
	}
	for _, l := range links {
		if !l.passive { // and some still connect
			ends = append(ends, l.gone)
		}
	}
	for _, end := range ends {
		select {
		case <-end:
		case <-ctx.Done():
			return fmt.Errorf("remote: stopped before everything was sent: %w", context.Cause(ctx))
		}
	}
	return nil
}

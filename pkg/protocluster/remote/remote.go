package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/link"
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
	system   *actor.System
	config   *Config
	types    *Types
	endpoint *link.Endpoint // of every connection
	spawner  *actor.PID
	gone     chan struct{} // closed when Stop is over

	mu    sync.Mutex
	phase phase
}

// New returns a Remote for system, which Start connects.
func New(system *actor.System, config *Config) *Remote {
	config = config.complete()
	types, _ := NewTypes(config.Types...) // Start reports the faults
	r := &Remote{system: system, config: config, types: types, gone: make(chan struct{})}
	r.endpoint = link.New(inbound{r}, link.Config{
		System: system.ID(), Cluster: config.Cluster, Client: config.Client, Types: types, TLS: config.TLS,
		Dial: config.Network.Dial, DialFilter: config.DialFilter, Services: config.Services, Lanes: config.Lanes,
		MaxMessageBytes: config.MaxMessageBytes, QueueBytes: config.QueueBytes,
		Heartbeat: config.Heartbeat, DeadAfter: config.DeadAfter,
	})
	return r
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
	r.phase = running
	r.endpoint.Open(ctx)
	r.mu.Unlock()
	r.system.Attach(address, r)
	if listener != nil {
		r.endpoint.Serve(listener)
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
		return link.ClientPrefix + r.system.ID(), nil, nil
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
func (r *Remote) Rejected() map[string]int { return r.endpoint.Rejected() }

// Disconnect gives up the node that had systemID at address: its link is
// closed, requests under way fail with ErrUnknownOutcome, watchers of its
// actors get *Terminated with reason, and it is not connected to again. An
// empty systemID means whichever node is there, and holds nothing against it.
func (r *Remote) Disconnect(address, systemID string, reason error) {
	r.endpoint.Disconnect(address, systemID, reason)
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
	err := r.endpoint.Leave(ctx)
	if r.spawner != nil {
		err = errors.Join(err, r.system.StopAndWait(ctx, r.spawner))
	}
	r.endpoint.Close()
	return err
}

package link

import (
	"context"
	"crypto/tls"
	"fmt"
	"hash/maphash"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/remotepb"
	"github.com/protocluster/workshop/pkg/protocluster/internal/wire"
)

// ClientPrefix begins the addresses of nodes that do not listen.
const ClientPrefix = "client-"

// What a Config keeps to: a link has at most MaxLanes, and the largest message
// that a node takes is at least MinMessageBytes and at most MaxMessageBytes.
const (
	MaxLanes        = 16
	MinMessageBytes = wire.BatchBytes
	MaxMessageBytes = 1 << 30
)

const maxDead = 1024

// Node is what an Endpoint knows of the actors here: it moves messages for
// them. Its methods are called concurrently and must not block.
type Node interface {
	// Address is where other nodes reach this one.
	Address() string
	// Receive hands the messages of a batch to their actors, and returns what
	// from is to be told of those that came to nothing.
	Receive(from Peer, batch *wire.Reader) (bounces []*remotepb.Signal)
	// Undelivered tells of a message for an actor at address that was
	// refused or came back.
	Undelivered(address string, m wire.Message, reason error)
	// Watched has an actor at address told of the end of one here.
	Watched(address string, w Watch)
	// Unwatched takes that back.
	Unwatched(address string, w Watch)
	// Terminated tells an actor here that one at address, which it watches,
	// is gone.
	Terminated(address string, w Watch, reason error)
}

// Config is what an Endpoint takes of remote.Config, complete and valid.
type Config struct {
	System          string // the node's id, new at each start
	Cluster         string
	Client          bool
	Types           *wire.Types
	TLS             *tls.Config
	Dial            func(ctx context.Context, address string) (net.Conn, error)
	DialFilter      func(address string) error
	Services        []Service
	Lanes           int
	MaxMessageBytes int
	QueueBytes      int
	Heartbeat       time.Duration
	DeadAfter       time.Duration
}

// Peer is the node at the other end of a connection.
type Peer struct {
	Address string // that its actors' PIDs have here
	System  string // its id, new at each start
	Client  bool   // it does not listen
	limit   int    // of bytes that it takes in one message
}

// Watch is an actor's watch over another, by their ids.
type Watch struct{ Watcher, Watched string }

// Endpoint is a node's end of all its connections. Its methods may be called
// concurrently; only Leave and Close block.
type Endpoint struct {
	node    Node
	config  Config
	seed    maphash.Seed
	buffers buffers
	batches sync.Pool // of *wire.Batch, empty
	parcels sync.Pool // of *[]byte, to encode messages into
	recent  *recent   // of ways

	leaving chan struct{}  // closed when Leave begins
	work    sync.WaitGroup // every goroutine
	server  *grpc.Server
	run     func(*Link) // starts a link
	cancel  context.CancelFunc

	mu       sync.RWMutex
	open     bool
	ways     map[string]way      // by address
	accepted int                 // ways that have a session
	sessions map[string]*session // all, by their secrets
	dead     map[string]error    // systems that are gone for good, and why
	rejected map[string]int
}

// New returns an Endpoint that refuses everything until it is opened.
func New(node Node, config Config) *Endpoint {
	e := &Endpoint{
		node: node, config: config, seed: maphash.MakeSeed(), leaving: make(chan struct{}),
		parcels: sync.Pool{New: func() any { return new([]byte) }},
		recent:  newRecent(), ways: map[string]way{}, sessions: map[string]*session{},
		dead: map[string]error{}, rejected: map[string]int{},
	}
	e.batches.New = func() any { return &wire.Batch{Lend: e.buffers.Get} }
	return e
}

// Open lets links be made. It is called once, and ends with Leave and Close,
// not with ctx.
func (e *Endpoint) Open(ctx context.Context) {
	e.mu.Lock()
	defer e.mu.Unlock()
	ctx, e.cancel = context.WithCancel(context.WithoutCancel(ctx))
	e.open, e.server = true, e.newServer()
	e.run = func(l *Link) { e.work.Go(func() { l.run(ctx) }) }
	e.work.Go(func() { e.beat(ctx) })
}

// Serve lets peers connect to l, after Open.
func (e *Endpoint) Serve(l net.Listener) {
	e.work.Go(func() { _ = e.server.Serve(l) }) // until Close
}

// Link returns the link to address, and makes it if a message may go there. A
// reply to a node that has connected to this one goes back over that: on one
// connection it spares the network an acknowledgement.
func (e *Endpoint) Link(address string, reply bool) (*Link, error) {
	w := e.known(address)
	switch {
	case reply && w.accepted != nil && w.accepted.replies != nil:
		return w.accepted.replies, nil
	case w.link != nil && (!w.link.over() || !w.link.tidy()):
		return w.link, nil
	case strings.HasPrefix(address, ClientPrefix):
		return nil, wire.Fault(wire.ErrUnreachable, "%s is a client that is not connected to this node", address)
	case w.accepted == nil && e.config.DialFilter != nil:
		if err := e.config.DialFilter(address); err != nil {
			return nil, wire.Fault(wire.ErrUnreachable, "%s may not be dialled: %v", address, err)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.open {
		return nil, e.stopping()
	}
	if now := e.ways[address].link; now != nil && now != w.link {
		return now, nil
	}
	l := newLink(e, address, false, e.config.Lanes)
	e.change(address, func(w *way) { w.link = l })
	e.run(l)
	return l, nil
}

// known is what this node has with the one at address.
func (e *Endpoint) known(address string) way { return e.recent.find(address, e.lookUp) }

func (e *Endpoint) lookUp(address string) way {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.ways[address]
}

// change changes what this node has with the one at address. Callers hold e.mu.
func (e *Endpoint) change(address string, change func(w *way)) {
	w := e.ways[address]
	change(&w)
	if e.ways[address] = w; w == (way{}) {
		delete(e.ways, address)
	}
	e.recent.changed()
}

// Unwatch takes back a watch over an actor at address.
func (e *Endpoint) Unwatch(address string, w Watch) {
	if l := e.known(address).link; l != nil && l.unwatch(w) {
		if s, _ := l.peer(); s != nil {
			s.signal(remotepb.Signal_UNWATCH, w.Watched, w.Watcher, nil)
		}
	}
}

// Terminate tells an actor at address of the end of one here, if it watches it.
func (e *Endpoint) Terminate(address string, w Watch, reason error) {
	known := e.known(address)
	s := known.accepted
	if s == nil && known.link != nil {
		s, _ = known.link.peer()
	}
	if s != nil && s.unwatch(w) {
		s.signal(remotepb.Signal_TERMINATED, w.Watcher, w.Watched, reason)
	}
}

// Disconnect gives up the node that had system at address, as
// remote.Disconnect says.
func (e *Endpoint) Disconnect(address, system string, reason error) {
	reason = fmt.Errorf("%w: %s was given up: %w", wire.ErrUnreachable, address, reason)
	e.mu.Lock()
	if system != "" {
		for id := range e.dead {
			if len(e.dead) < maxDead {
				break
			}
			delete(e.dead, id) // whichever: it is long gone
		}
		e.dead[system] = reason
	}
	e.mu.Unlock()
	w := e.known(address)
	if s := w.accepted; s != nil && (system == "" || s.System == system) {
		s.fail(reason)
	}
	if l := w.link; l != nil {
		if _, last := l.peer(); system == "" || last == "" || last == system {
			l.close(reason, 0)
		}
	}
}

// alive reports, as an error, that a system is gone for good.
func (e *Endpoint) alive(system string) error {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if why, dead := e.dead[system]; dead {
		return status.Errorf(codes.FailedPrecondition, "remote: node %s: %v", system, why)
	}
	return nil
}

// Reject counts what was refused.
func (e *Endpoint) Reject(reason string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.rejected[reason]++
}

// Rejected is what was refused, by reason.
func (e *Endpoint) Rejected() map[string]int {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return maps.Clone(e.rejected)
}

func (e *Endpoint) remember(s *session) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sessions[s.secret] = s
}

func (e *Endpoint) forget(s *session) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.sessions, s.secret)
	if e.ways[s.Address].accepted == s {
		e.accepted--
		e.change(s.Address, func(w *way) { w.accepted = nil })
	}
}

func (e *Endpoint) everything() ([]*session, []*Link) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	var links []*Link
	for _, w := range e.ways {
		if w.link != nil {
			links = append(links, w.link)
		}
	}
	return slices.Collect(maps.Values(e.sessions)), links
}

// beat keeps sessions alive and ends those whose peers are silent; it forgets
// links that are of no use any more.
func (e *Endpoint) beat(ctx context.Context) {
	ticker, last := time.NewTicker(e.config.Heartbeat), time.Now()
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		late := time.Since(last) > 2*e.config.Heartbeat // this process slept: others may have spoken meanwhile
		last = time.Now()
		sessions, links := e.everything()
		for _, s := range sessions {
			if silence := s.silence(); silence > e.config.DeadAfter && !late {
				s.fail(wire.Fault(wire.ErrUnreachable, "%s has been silent for %v", s.Address, silence.Round(time.Millisecond)))
			}
			s.control.beat.Store(true)
			poke(s.control.wake)
		}
		for _, l := range links {
			if l.tidy() {
				e.mu.Lock()
				if e.ways[l.address].link == l {
					e.change(l.address, func(w *way) { w.link = nil })
				}
				e.mu.Unlock()
			}
		}
	}
}

func (e *Endpoint) stopping() error {
	return wire.Fault(actor.ErrStopped, "%s is stopping", e.node.Address())
}

// Leave refuses new messages, sends what waits for nodes that are connected and
// says goodbye. It ends when that is done, when ctx ends or after DeadAfter.
func (e *Endpoint) Leave(ctx context.Context) error {
	e.mu.Lock()
	e.open = false
	e.mu.Unlock()
	close(e.leaving)
	sessions, links := e.everything()
	var ends []<-chan struct{} // of what peers end when they have read the goodbye
	for _, s := range sessions {
		ends = append(ends, s.ended)
	}
	for _, l := range links {
		if !l.passive { // and some still connect
			ends = append(ends, l.gone)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, e.config.DeadAfter)
	defer cancel()
	for _, end := range ends {
		select {
		case <-end:
		case <-ctx.Done():
			return fmt.Errorf("remote: stopped before everything was sent: %w", context.Cause(ctx))
		}
	}
	return nil
}

// Close closes every connection, after Leave, and returns when every goroutine
// has ended.
func (e *Endpoint) Close() {
	sessions, links := e.everything()
	for _, s := range sessions {
		s.fail(e.stopping())
	}
	for _, l := range links {
		l.close(e.stopping(), 0)
	}
	e.cancel()
	e.server.Stop()
	e.work.Wait()
}

package link

import (
	"context"
	"errors"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	grpcpeer "google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/remotepb"
	"github.com/protocluster/workshop/pkg/protocluster/internal/wire"
)

const (
	maxHeaderBytes = 16 << 10
	maxSessions    = 10_000
	maxName        = 512 // bytes of a node's id and address
)

// service is the gRPC service to which other nodes connect.
type service struct {
	remotepb.UnimplementedRemoteServer
	*Endpoint
}

func (e *Endpoint) newServer() *grpc.Server {
	c := e.config
	server := grpc.NewServer(
		grpc.Creds(serverTLS(c.TLS)), grpc.ForceServerCodecV2(newCodec(&e.buffers)),
		grpc.MaxRecvMsgSize(c.MaxMessageBytes+wire.BatchBytes), grpc.MaxHeaderListSize(maxHeaderBytes),
		grpc.MaxConcurrentStreams(2+MaxLanes),
		grpc.InitialWindowSize(streamWindow), grpc.InitialConnWindowSize(connWindow),
		grpc.ConnectionTimeout(c.DeadAfter), grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: 12 * c.DeadAfter}),
		grpc.WaitForHandlers(true))
	remotepb.RegisterRemoteServer(server, service{Endpoint: e})
	for _, other := range c.Services {
		server.RegisterService(other.Desc, other.Impl)
	}
	return server
}

// Connect serves one stream that another node opened.
func (e service) Connect(st remotepb.Remote_ConnectServer) (err error) {
	defer e.survive(&err)
	f, err := e.first(st)
	switch {
	case err != nil:
		return err
	case f.Hello != nil:
		return e.hello(st, f.Hello)
	case f.Join != nil:
		return e.join(st, f.Join)
	}
	return e.violation("no greeting", codes.InvalidArgument, "the first frame must be Hello or Join")
}

// first waits for a stream's first frame, but not for ever.
func (e service) first(st stream) (*remotepb.Frame, error) {
	var f *remotepb.Frame
	var err error
	came, late := make(chan struct{}), time.NewTimer(e.config.DeadAfter)
	defer late.Stop()
	e.work.Go(func() { f, err = st.Recv(); close(came) }) // ends with the stream
	select {
	case <-came:
		return f, err
	case <-late.C:
		return nil, e.violation("no greeting", codes.DeadlineExceeded, "no first frame within %v", e.config.DeadAfter)
	case <-e.leaving:
		return nil, e.stopping()
	}
}

// hello opens a session and serves its control stream.
func (e service) hello(st remotepb.Remote_ConnectServer, h *remotepb.Hello) error {
	p, err := e.identify(st.Context(), h)
	if err != nil {
		return err
	}
	s := newSession(e.Endpoint, p, nil, 1+int(h.Lanes))
	if err = e.admit(st.Context(), s, int(h.Lanes)); err == nil {
		err = st.Send(&remotepb.Frame{Welcome: &remotepb.Welcome{
			System: e.config.System, Session: s.secret, MaxMessageBytes: uint64(e.config.MaxMessageBytes)}})
	}
	if err != nil {
		s.fail(err)
	}
	s.serve(st, s.readControl, s.control.write)
	<-s.done
	if s.link != nil {
		_, _ = s.link.down(s.err) // the peer dials again, or not
	}
	s.end()
	return s.err
}

// join serves a data lane of a session.
func (e service) join(st stream, j *remotepb.Join) error {
	e.mu.RLock()
	s := e.sessions[j.Session]
	e.mu.RUnlock()
	if s == nil {
		return e.violation("unknown session", codes.PermissionDenied, "no such session; it may have ended")
	}
	s.mu.Lock()
	ok := j.Lane < MaxLanes && int(j.Lane) < len(s.outbound().lanes) && !s.joined[j.Lane]
	if ok {
		s.joined[j.Lane] = true
	}
	s.mu.Unlock()
	if !ok {
		s.fail(e.violation("wrong lane", codes.InvalidArgument, "lane %d is taken or was not announced", j.Lane))
		return s.err
	}
	s.serveLane(st, int(j.Lane))
	<-s.done
	return s.err
}

// identify checks what a peer says of itself.
func (e *Endpoint) identify(ctx context.Context, h *remotepb.Hello) (Peer, error) {
	p := Peer{Address: h.Address, System: h.System, Client: h.Address == "", limit: int(min(h.MaxMessageBytes, MaxMessageBytes))}
	host, _, err := net.SplitHostPort(h.Address)
	switch {
	case h.Version != version:
		return p, e.violation("wrong version", codes.FailedPrecondition,
			"the peer speaks version %d of the protocol, this node version %d; update the older", h.Version, version)
	case h.Cluster != e.config.Cluster:
		return p, e.violation("wrong cluster", codes.FailedPrecondition,
			"the peer belongs to cluster %.100q, this node to %q", h.Cluster, e.config.Cluster)
	case h.System == "", len(h.System)+len(h.Address) > maxName, h.MaxMessageBytes < MinMessageBytes, h.Lanes < 1, h.Lanes > MaxLanes:
		return p, e.violation("malformed hello", codes.InvalidArgument,
			"no id, or one too long, or %d lanes, or messages of at most %d bytes", h.Lanes, h.MaxMessageBytes)
	case (h.Address == e.node.Address()) != (h.System == e.config.System):
		return p, e.violation("foreign address", codes.PermissionDenied, "the peer claims to be this node, %s", e.node.Address())
	case p.Client:
		p.Address = ClientPrefix + h.System
	case err != nil || host == "":
		return p, e.violation("malformed hello", codes.InvalidArgument, "the peer's address %q is not host:port", h.Address)
	}
	if !p.Client {
		if err := e.Verify(ctx, host); err != nil {
			return p, e.violation("foreign address", codes.PermissionDenied,
				"the peer's certificate is not for its address %s: %v", p.Address, err)
		}
	}
	return p, e.alive(p.System)
}

// Verify checks that whoever made the call that ctx belongs to has shown the
// certificate which it would have to show if it were dialled on host.
func (e *Endpoint) Verify(ctx context.Context, host string) error {
	conn, ok := grpcpeer.FromContext(ctx)
	if !ok {
		return errors.New("ctx belongs to no call")
	}
	return owns(e.config.TLS, host, conn.AuthInfo)
}

// admit registers a session that a peer opened. An older one of the same peer
// ends first: the peer has given it up, or would not open another.
func (e *Endpoint) admit(ctx context.Context, s *session, lanes int) error {
	for {
		old, err := e.register(s, lanes)
		switch {
		case err != nil:
			return err
		case old == nil && s.link != nil:
			return s.link.up(s)
		case old == nil:
			return nil
		}
		old.fail(e.violation("superseded", codes.Aborted, "%s has connected again", s.Address))
		select {
		case <-old.ended:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// register registers s unless it returns an older session of the same peer.
func (e *Endpoint) register(s *session, lanes int) (old *session, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	known := e.ways[s.Address]
	l := known.link
	switch {
	case !e.open:
		return nil, e.stopping()
	case known.accepted != nil:
		return known.accepted, nil
	case e.accepted >= maxSessions:
		return nil, status.Errorf(codes.ResourceExhausted, "remote: %d nodes are connected to %s already", maxSessions, e.node.Address())
	case s.Client && (l == nil || l.over()):
		l = newLink(e, s.Address, true, lanes)
	case !s.Client && l != nil:
		poke(l.kick) // it can be dialled now
	}
	if s.Client {
		s.link = l
	} else {
		s.replies = newReplies(s, lanes)
	}
	e.sessions[s.secret] = s
	e.accepted++
	e.change(s.Address, func(w *way) { w.accepted, w.link = s, l })
	return nil, nil
}

// survive turns a panic into the end of one stream.
func (e *Endpoint) survive(err *error) {
	if v := recover(); v != nil {
		*err = e.violation("panic", codes.Internal, "a frame made its handler panic: %v", v)
	}
}

// violation counts what a peer did wrong and returns the status that tells it.
func (e *Endpoint) violation(reason string, code codes.Code, format string, args ...any) error {
	e.Reject(reason)
	return status.Errorf(code, "remote: "+format, args...)
}

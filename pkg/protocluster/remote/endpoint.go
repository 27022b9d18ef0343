package remote

import (
	"context"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	grpcpeer "google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/remotepb"
)

const (
	clientPrefix   = "client-"
	maxHeaderBytes = 16 << 10
	maxSessions    = 10_000
	maxName        = 512 // bytes of a node's id and address
)

// endpoint is the gRPC service to which other nodes connect.
type endpoint struct {
	remotepb.UnimplementedRemoteServer
	*Remote
}

func (r *Remote) newServer() *grpc.Server {
	c := r.config
	server := grpc.NewServer(
		grpc.Creds(serverTLS(c.TLS)),
		grpc.MaxRecvMsgSize(c.MaxMessageBytes+batchBytes), grpc.MaxHeaderListSize(maxHeaderBytes), grpc.MaxConcurrentStreams(2+maxLanes),
		grpc.InitialWindowSize(streamWindow), grpc.InitialConnWindowSize(connWindow),
		grpc.ConnectionTimeout(c.DeadAfter), grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: 12 * c.DeadAfter}),
		grpc.WaitForHandlers(true))
	remotepb.RegisterRemoteServer(server, endpoint{Remote: r})
	return server
}

// Connect serves one stream that another node opened.
func (r endpoint) Connect(st remotepb.Remote_ConnectServer) (err error) {
	defer r.survive(&err)
	f, err := r.first(st)
	switch {
	case err != nil:
		return err
	case f.Hello != nil:
		return r.hello(st, f.Hello)
	case f.Join != nil:
		return r.join(st, f.Join)
	}
	return r.violation("no greeting", codes.InvalidArgument, "the first frame must be Hello or Join")
}

// first waits for a stream's first frame, but not for ever.
func (r endpoint) first(st stream) (*remotepb.Frame, error) {
	var f *remotepb.Frame
	var err error
	came, late := make(chan struct{}), time.NewTimer(r.config.DeadAfter)
	defer late.Stop()
	r.work.Go(func() { f, err = st.Recv(); close(came) }) // ends with the stream
	select {
	case <-came:
		return f, err
	case <-late.C:
		return nil, r.violation("no greeting", codes.DeadlineExceeded, "no first frame within %v", r.config.DeadAfter)
	case <-r.leaving:
		return nil, r.stopping()
	}
}

// hello opens a session and serves its control stream.
func (r endpoint) hello(st remotepb.Remote_ConnectServer, h *remotepb.Hello) error {
	p, err := r.identify(st.Context(), h)
	if err != nil {
		return err
	}
	s := newSession(r.Remote, p, nil, 1+int(h.Lanes))
	if err = r.admit(st.Context(), s, int(h.Lanes)); err == nil {
		err = st.Send(&remotepb.Frame{Welcome: &remotepb.Welcome{
			System: r.system.ID(), Session: s.secret, MaxMessageBytes: uint64(r.config.MaxMessageBytes)}})
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
func (r endpoint) join(st stream, j *remotepb.Join) error {
	r.mu.RLock()
	s := r.sessions[j.Session]
	r.mu.RUnlock()
	if s == nil {
		return r.violation("unknown session", codes.PermissionDenied, "no such session; it may have ended")
	}
	s.mu.Lock()
	ok := j.Lane < maxLanes && (s.link == nil || int(j.Lane) < len(s.link.lanes)) && !s.joined[j.Lane]
	if ok {
		s.joined[j.Lane] = true
	}
	s.mu.Unlock()
	if !ok {
		s.fail(r.violation("wrong lane", codes.InvalidArgument, "lane %d is taken or was not announced", j.Lane))
		return s.err
	}
	s.serveLane(st, int(j.Lane))
	<-s.done
	return s.err
}

// identify checks what a peer says of itself.
func (r *Remote) identify(ctx context.Context, h *remotepb.Hello) (peer, error) {
	p := peer{address: h.Address, system: h.System, client: h.Address == "", limit: int(min(h.MaxMessageBytes, maxMessageBytes))}
	host, _, err := net.SplitHostPort(h.Address)
	switch {
	case h.Version != version:
		return p, r.violation("wrong version", codes.FailedPrecondition,
			"the peer speaks version %d of the protocol, this node version %d; update the older", h.Version, version)
	case h.Cluster != r.config.Cluster:
		return p, r.violation("wrong cluster", codes.FailedPrecondition,
			"the peer belongs to cluster %.100q, this node to %q", h.Cluster, r.config.Cluster)
	case h.System == "", len(h.System)+len(h.Address) > maxName, h.MaxMessageBytes < minMessageBytes, h.Lanes < 1, h.Lanes > maxLanes:
		return p, r.violation("malformed hello", codes.InvalidArgument,
			"no id, or one too long, or %d lanes, or messages of at most %d bytes", h.Lanes, h.MaxMessageBytes)
	case (h.Address == r.Address()) != (h.System == r.system.ID()):
		return p, r.violation("foreign address", codes.PermissionDenied, "the peer claims to be this node, %s", r.Address())
	case p.client:
		p.address = clientPrefix + h.System
	case err != nil || host == "":
		return p, r.violation("malformed hello", codes.InvalidArgument, "the peer's address %q is not host:port", h.Address)
	}
	if conn, ok := grpcpeer.FromContext(ctx); ok && !p.client {
		if err := owns(r.config.TLS, host, conn.AuthInfo); err != nil {
			return p, r.violation("foreign address", codes.PermissionDenied,
				"the peer's certificate is not for its address %s: %v", p.address, err)
		}
	}
	return p, r.alive(p.system)
}

// admit registers a session that a peer opened. An older one of the same peer
// ends first: the peer has given it up, or would not open another.
func (r *Remote) admit(ctx context.Context, s *session, lanes int) error {
	for {
		old, err := r.register(s, lanes)
		switch {
		case err != nil:
			return err
		case old == nil && s.link != nil:
			return s.link.up(s)
		case old == nil:
			return nil
		}
		old.fail(r.violation("superseded", codes.Aborted, "%s has connected again", s.address))
		select {
		case <-old.ended:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// register registers s unless it returns an older session of the same peer.
func (r *Remote) register(s *session, lanes int) (old *session, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.links[s.address]
	switch {
	case r.phase != running:
		return nil, r.stopping()
	case r.accepted[s.address] != nil:
		return r.accepted[s.address], nil
	case len(r.accepted) >= maxSessions:
		return nil, status.Errorf(codes.ResourceExhausted, "remote: %d nodes are connected to %s already", maxSessions, r.Address())
	case s.client && (l == nil || l.over()):
		l = newLink(r, s.address, true, lanes)
		r.links[s.address] = l
	case !s.client && l != nil:
		poke(l.kick) // it can be dialled now
	}
	if s.client {
		s.link = l
	}
	r.accepted[s.address], r.sessions[s.secret] = s, s
	return nil, nil
}

func (r *Remote) stopping() error {
	return fault(actor.ErrStopped, "%s is stopping", r.Address())
}

// survive turns a panic into the end of one stream.
func (r *Remote) survive(err *error) {
	if v := recover(); v != nil {
		*err = r.violation("panic", codes.Internal, "a frame made its handler panic: %v", v)
	}
}

// violation counts what a peer did wrong and returns the status that tells it.
func (r *Remote) violation(reason string, code codes.Code, format string, args ...any) error {
	r.reject(reason)
	return status.Errorf(code, "remote: "+format, args...)
}

// reject counts what was refused.
func (r *Remote) reject(reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rejected[reason]++
}

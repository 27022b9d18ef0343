package link

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/remotepb"
	"github.com/protocluster/workshop/pkg/protocluster/internal/wire"
)

const (
	version      = 2 // of the protocol in remote.proto
	streamWindow = 1 << 20
	connWindow   = 4 << 20
	leanBuffer   = 4 << 10 // of a connection that carries little; by default it is 32 KiB, to write and to read
)

// Dial returns a connection to address that nothing else uses, for small messages.
// Its first call makes it, and fails if that fails.
func (e *Endpoint) Dial(address string) (*grpc.ClientConn, error) {
	return e.dial(address, grpc.WithReadBufferSize(leanBuffer), grpc.WithWriteBufferSize(leanBuffer))
}

func (e *Endpoint) dial(address string, opts ...grpc.DialOption) (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///"+address, append(opts,
		grpc.WithTransportCredentials(clientTLS(e.config.TLS)),
		grpc.WithContextDialer(e.config.Dial),
		grpc.WithInitialWindowSize(streamWindow), grpc.WithInitialConnWindowSize(connWindow),
		grpc.WithMaxHeaderListSize(maxHeaderBytes),
		grpc.WithDisableRetry(), grpc.WithDisableServiceConfig(), grpc.WithIdleTimeout(0), grpc.WithNoProxy())...)
}

// connect dials the link's address and serves a session until it ends. The
// error says why it ended, or did not begin.
func (l *Link) connect(ctx context.Context) error {
	c := l.e.config
	conn, err := l.e.dial(l.address, grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(c.MaxMessageBytes+wire.BatchBytes),
		grpc.ForceCodecV2(newCodec(&l.e.buffers)), grpc.MaxRetryRPCBufferSize(0))) // nothing is kept for a second attempt
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	late := time.AfterFunc(c.DeadAfter, cancel)
	s, streams, err := l.greet(ctx, remotepb.NewRemoteClient(conn))
	if !late.Stop() {
		return status.Errorf(codes.DeadlineExceeded, "no answer from %s within %v", l.address, c.DeadAfter)
	}
	if err == nil {
		err = l.up(s)
	}
	if err != nil {
		return err
	}
	l.e.remember(s)
	s.serve(streams[0], s.readControl, s.control.write)
	for i, st := range streams[1:] {
		s.serveLane(st, i)
	}
	<-s.done
	cancel()
	s.end()
	return s.err
}

// greet opens the streams of a session, the control stream first.
func (l *Link) greet(ctx context.Context, client remotepb.RemoteClient) (*session, []stream, error) {
	e := l.e
	hello := &remotepb.Hello{Version: version, Cluster: e.config.Cluster, System: e.config.System, Address: e.node.Address(),
		Lanes: uint32(len(l.lanes)), MaxMessageBytes: uint64(e.config.MaxMessageBytes)}
	if e.config.Client {
		hello.Address = ""
	}
	control, err := client.Connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	_ = control.Send(&remotepb.Frame{Hello: hello}) // Recv knows why it failed
	f, err := control.Recv()
	if err != nil {
		return nil, nil, err
	}
	if f.Welcome == nil {
		return nil, nil, status.Errorf(codes.FailedPrecondition, "%s answers Hello with something else than Welcome", l.address)
	}
	p := Peer{Address: l.address, System: f.Welcome.System, limit: int(min(f.Welcome.MaxMessageBytes, MaxMessageBytes))}
	streams := []stream{control}
	for i := range l.lanes {
		st, err := client.Connect(ctx)
		if err != nil {
			return nil, nil, err
		}
		_ = st.Send(&remotepb.Frame{Join: &remotepb.Join{Session: f.Welcome.Session, Lane: uint32(i)}}) // its reader knows
		streams = append(streams, st)
	}
	return newSession(e, p, l, len(streams)), streams, e.alive(p.System)
}

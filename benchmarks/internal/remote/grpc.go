package remote

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/protocluster/workshop/benchmarks/internal/gen/benchpb"
	"github.com/protocluster/workshop/benchmarks/internal/mailbox"
	"github.com/protocluster/workshop/benchmarks/internal/tally"
)

// A batch has at most so many items, and about so many bytes.
const (
	batchItems = 1024
	batchBytes = 64 << 10
)

// limit is the server of what gRPC itself can do.
type limit struct {
	benchpb.UnimplementedLimitServer
}

func serveGRPC(ctx context.Context, _ []string, ready func(address string)) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := grpc.NewServer()
	benchpb.RegisterLimitServer(s, limit{})
	context.AfterFunc(ctx, s.Stop)
	ready(l.Addr().String())
	if err := s.Serve(l); !errors.Is(err, grpc.ErrServerStopped) {
		return err
	}
	return nil
}

func (limit) Ask(_ context.Context, m *benchpb.Item) (*benchpb.Item, error) { return m, nil }

func (limit) Asks(st benchpb.Limit_AsksServer) error {
	for {
		b, err := st.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = st.Send(b)
		}
		if err != nil {
			return err
		}
	}
}

func (limit) Tell(st benchpb.Limit_TellServer) error {
	c := tally.NewCounter(receivers, -1)
	for {
		b, err := st.Recv()
		if errors.Is(err, io.EOF) {
			return st.SendAndClose(tallied(c))
		}
		if err != nil {
			return err
		}
		for _, m := range b.Items {
			c.Count(m.From, m.Number)
		}
	}
}

func dial(address string) (*grpc.ClientConn, error) {
	return grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
}

// unary makes a call of each ask.
type unary struct {
	conn   *grpc.ClientConn
	client benchpb.LimitClient
}

func connectUnary(address string) (*unary, error) {
	conn, err := dial(address)
	if err != nil {
		return nil, err
	}
	return &unary{conn, benchpb.NewLimitClient(conn)}, nil
}

func (u *unary) ask(ctx context.Context, _ int, m *benchpb.Item) (*benchpb.Item, error) {
	return u.client.Ask(ctx, m)
}

func (u *unary) close(context.Context) error { return u.conn.Close() }

// stream sends what waits in batches on one stream.
type stream struct {
	unary
	*calls
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// connectStream opens a stream for so many callers; none is enough to tell.
func connectStream(ctx context.Context, address string, callers int) (*stream, error) {
	u, err := connectUnary(address)
	if err != nil {
		return nil, err
	}
	s := &stream{unary: *u, calls: newCalls(callers)}
	ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if callers == 0 {
		return s, nil
	}
	asks, err := s.client.Asks(ctx)
	if err != nil {
		s.cancel()
		return nil, errors.Join(err, s.conn.Close())
	}
	s.done.Go(func() { s.fail(write(s.outbox, asks.Send)) })
	s.done.Go(func() { s.fail(s.read(asks)) })
	return s, nil
}

// write sends batches until the outbox is closed.
func write(outbox *mailbox.Mailbox[*benchpb.Item], send func(*benchpb.Batch) error) error {
	var run []*benchpb.Item
	for {
		if run = outbox.Swap(run[:0]); len(run) == 0 {
			return nil
		}
		for rest := run; len(rest) > 0; {
			n, bytes := 0, 0
			for n < min(len(rest), batchItems) && bytes < batchBytes {
				bytes += len(rest[n].Payload)
				n++
			}
			if err := send(&benchpb.Batch{Items: rest[:n]}); err != nil {
				return err
			}
			rest = rest[n:]
		}
	}
}

// read hands replies to who waits for them.
func (s *stream) read(asks benchpb.Limit_AsksClient) error {
	for {
		b, err := asks.Recv()
		if err != nil {
			return err
		}
		for _, m := range b.Items {
			s.reply(m)
		}
	}
}

func (s *stream) tell(ctx context.Context, senders, n int, payload []byte) (*benchpb.Tally, error) {
	st, err := s.client.Tell(ctx)
	if err != nil {
		return nil, err
	}
	outbox := mailbox.New[*benchpb.Item](outboxItems)
	defer outbox.Close()
	feed(outbox, senders, n, payload)
	if err := write(outbox, st.Send); err != nil {
		return nil, err
	}
	return st.CloseAndRecv()
}

func (s *stream) close(context.Context) error {
	s.outbox.Close()
	s.cancel()
	s.done.Wait()
	return s.conn.Close()
}

func (s *stream) ask(ctx context.Context, caller int, m *benchpb.Item) (*benchpb.Item, error) {
	return s.call(ctx, caller, m)
}

package testkit_test

import (
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// echo is a service with one bidirectional stream that returns what it gets.
var echo = grpc.ServiceDesc{
	ServiceName: "testkit.Echo",
	HandlerType: (*any)(nil),
	Streams: []grpc.StreamDesc{{
		StreamName: "Talk", ServerStreams: true, ClientStreams: true,
		Handler: func(_ any, s grpc.ServerStream) error {
			for {
				var m wrapperspb.StringValue
				if err := s.RecvMsg(&m); errors.Is(err, io.EOF) {
					return nil
				} else if err != nil {
					return err
				}
				if err := s.SendMsg(&m); err != nil {
					return err
				}
			}
		},
	}},
}

// serve starts the echo service on host and stops it when the test ends.
func serve(t testing.TB, host *testkit.Host) (address string) {
	t.Helper()
	l := listen(t, host, ":0")
	server := grpc.NewServer(grpc.WaitForHandlers(true))
	server.RegisterService(&echo, nil)
	var w sync.WaitGroup
	w.Go(func() { _ = server.Serve(l) }) // ends with an error if the host is killed
	t.Cleanup(func() {
		server.Stop()
		w.Wait()
	})
	return l.Addr().String()
}

func client(t testing.TB, host *testkit.Host, address string, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	opts = append(opts, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(host.Dial))
	c, err := grpc.NewClient("passthrough:///"+address, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func talk(t testing.TB, c *grpc.ClientConn) grpc.ClientStream {
	t.Helper()
	s, err := c.NewStream(t.Context(), &echo.Streams[0], "/testkit.Echo/Talk")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// say expects text to come back.
func say(t testing.TB, s grpc.ClientStream, text string) {
	t.Helper()
	if err := s.SendMsg(wrapperspb.String(text)); err != nil {
		t.Fatal(err)
	}
	var m wrapperspb.StringValue
	if err := s.RecvMsg(&m); err != nil || m.Value != text {
		t.Fatalf("got %q, %v; want %q", m.Value, err, text)
	}
}

// grpcOver gives a stream to an echo service over a network of 5 ms links.
func grpcOver(t testing.TB, opts ...grpc.DialOption) (*testkit.Network, grpc.ClientStream) {
	t.Helper()
	n := testkit.NewNetwork()
	n.Shape(testkit.Link{Latency: 5 * time.Millisecond})
	s := talk(t, client(t, n.Host("a"), serve(t, n.Host("b")), opts...))
	say(t, s, "hello")
	return n, s
}

func TestGRPCStreamInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s := grpcOver(t)
		takes(t, "an echo", 10*time.Millisecond, func() { say(t, s, "hello") })
	})
}

func TestGRPCStreamOutlivesPartition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, s := grpcOver(t)
		n.Partition("a", "b")
		time.AfterFunc(10*time.Minute, n.HealAll)
		takes(t, "an echo", 10*time.Minute+10*time.Millisecond, func() { say(t, s, "hello") })
	})
}

func TestGRPCStreamEndsWithItsPeer(t *testing.T) {
	tests := []struct {
		name  string
		fault func(*testkit.Network)
		takes time.Duration
	}{
		{name: "reset", fault: func(n *testkit.Network) { n.Reset("a", "b") }},
		{name: "kill", fault: func(n *testkit.Network) { n.Kill("b") }, takes: 5 * time.Millisecond},
		{name: "crash, found by keepalive", fault: func(n *testkit.Network) { n.Crash("b") }, takes: 11 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n, s := grpcOver(t, grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: time.Second}))
				tt.fault(n)
				takes(t, "the end", tt.takes, func() {
					if err := s.RecvMsg(new(wrapperspb.StringValue)); status.Code(err) != codes.Unavailable {
						t.Errorf("got %v, want %v", err, codes.Unavailable)
					}
				})
			})
		})
	}
}

// Everything blocks here: senders on flow control, the transport on a window of
// a kilobyte. It must do so in ways that let virtual time pass.
func TestGRPCUnderBackPressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := testkit.NewNetwork(1)
		n.Shape(testkit.Link{Latency: time.Millisecond, Jitter: time.Millisecond, Loss: 0.02, Window: 1 << 10})
		c := client(t, n.Host("a"), serve(t, n.Host("b")))
		text := strings.Repeat("x", 50_000)
		var w sync.WaitGroup
		for range 4 {
			s := talk(t, c)
			w.Go(func() {
				for range 5 {
					if err := s.SendMsg(wrapperspb.String(text)); err != nil {
						t.Error(err)
					}
				}
				_ = s.CloseSend()
			})
			w.Go(func() {
				var err error
				count := 0
				for ; err == nil; count++ {
					err = s.RecvMsg(new(wrapperspb.StringValue))
				}
				if !errors.Is(err, io.EOF) || count != 6 {
					t.Errorf("got %d messages and %v, want 5", count-1, err)
				}
			})
		}
		time.AfterFunc(100*time.Millisecond, func() { n.Partition("a", "b") })
		time.AfterFunc(time.Hour, n.HealAll)
		w.Wait()
	})
}

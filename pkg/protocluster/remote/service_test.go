package remote_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protocluster/workshop/pkg/protocluster/remote"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// parrot is a service with one stream that says what it hears, with a prefix.
type parrot interface {
	Prefix(ctx context.Context) string
}

type polly func(ctx context.Context) string

func (p polly) Prefix(ctx context.Context) string { return p(ctx) }

var parrotDesc = grpc.ServiceDesc{
	ServiceName: "test.Parrot",
	HandlerType: (*parrot)(nil),
	Streams: []grpc.StreamDesc{{
		StreamName: "Talk", ServerStreams: true, ClientStreams: true,
		Handler: func(impl any, s grpc.ServerStream) error {
			for {
				var m wrapperspb.StringValue
				if err := s.RecvMsg(&m); errors.Is(err, io.EOF) {
					return nil
				} else if err != nil {
					return err
				}
				m.Value = impl.(parrot).Prefix(s.Context()) + m.Value
				if err := s.SendMsg(&m); err != nil {
					return err
				}
			}
		},
	}},
}

// talk says hello to the parrot at address, over a connection of its own.
func talk(t testing.TB, from *node, address string) (string, error) {
	t.Helper()
	conn, err := from.Dial(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	t.Cleanup(cancel)
	s, err := conn.NewStream(ctx, &parrotDesc.Streams[0], "/test.Parrot/Talk")
	if err != nil {
		return "", err
	}
	var m wrapperspb.StringValue
	if err := s.SendMsg(wrapperspb.String("hello")); err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	err = s.RecvMsg(&m)
	return m.Value, err
}

func TestService(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		b := start(t, on(n, "b", remote.WithService(&parrotDesc, polly(func(context.Context) string { return "b: " }))))
		a := start(t, on(n, "a", remote.WithDialFilter(func(string) error { return errors.New("not yours") })))
		if got, err := talk(t, a, b.Address()); got != "b: hello" || err != nil {
			t.Errorf("the service said %q, %v, want %q", got, err, "b: hello")
		}
		if got := n.Dials(testkit.Route{From: "a", To: "b"}); got != 1 {
			t.Errorf("%d connections, want one of its own", got)
		}
		if got, err := talk(t, b, a.Address()); err == nil || !strings.Contains(err.Error(), "unknown service") {
			t.Errorf("a node without the service said %q, %v", got, err)
		}
		if got, err := talk(t, a, "nobody:1"); err == nil {
			t.Errorf("nobody said %q", got)
		}
	})
}

func TestService_SeveralNodes(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		shared := remote.Configure("b", 0, remote.WithNetwork(n.Host("b")))
		one := start(t, shared.With(remote.WithService(&parrotDesc, polly(func(context.Context) string { return "one: " }))))
		two := start(t, shared.With(remote.WithService(&parrotDesc, polly(func(context.Context) string { return "two: " }))))
		for want, node := range map[string]*node{"one: hello": one, "two: hello": two} {
			if got, err := talk(t, one, node.Address()); got != want || err != nil {
				t.Errorf("the service said %q, %v, want %q", got, err, want)
			}
		}
		if len(shared.Services) != 0 {
			t.Errorf("the shared configuration has got %d services", len(shared.Services))
		}
	})
}

// Stop ends the calls and waits for their handlers.
func TestService_Stop(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		ended := false
		b := start(t, on(n, "b", remote.WithService(&parrotDesc, polly(func(ctx context.Context) string {
			<-ctx.Done()
			ended = true
			return ""
		}))))
		a := start(t, on(n, "a"))
		said := make(chan error, 1)
		go func() {
			_, err := talk(t, a, b.Address())
			said <- err
		}()
		synctest.Wait()
		testkit.Advance(100 * time.Millisecond)
		if err := b.Stop(t.Context()); err != nil || !ended {
			t.Errorf("Stop = %v, and the handler has ended: %t", err, ended)
		}
		if err := <-said; err == nil {
			t.Error("the call of a handler that was cut short succeeded")
		}
	})
}

func TestVerify(t *testing.T) {
	rows := []struct {
		name, address string
		secure        bool
		want          string // in the error
	}{
		{"the node's address", "a:1", true, ""},
		{"another node's address", "c:1", true, "not c"},
		{"no address", "a", true, "missing port"},
		{"anybody, without TLS", "c:1", false, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, n *testkit.Network) {
				ca := newAuthority(t)
				var b *node
				verify := polly(func(ctx context.Context) string {
					if err := b.Verify(ctx, row.address); err != nil {
						return err.Error()
					}
					return "yes: "
				})
				ofB, ofA := on(n, "b", remote.WithService(&parrotDesc, verify)), on(n, "a")
				if row.secure {
					ofB, ofA = ofB.With(remote.WithTLS(ca.tls("b", time.Hour))), ofA.With(remote.WithTLS(ca.tls("a", time.Hour)))
				}
				b = start(t, ofB)
				got, err := talk(t, start(t, ofA), b.Address())
				if err != nil || row.want == "" && got != "yes: hello" || !strings.Contains(got, row.want) {
					t.Errorf("the service said %q, %v, want %q", got, err, row.want)
				}
			})
		})
	}
	bubble(t, func(t *testing.T, n *testkit.Network) {
		if err := start(t, on(n, "b")).Verify(t.Context(), "a:1"); err == nil {
			t.Error("Verify believes in a ctx that belongs to no call")
		}
	})
}

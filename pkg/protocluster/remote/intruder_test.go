package remote_test

import (
	"context"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/remotepb"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// intruder speaks the protocol by hand.
type intruder struct {
	t       testing.TB
	client  remotepb.RemoteClient
	control remotepb.Remote_ConnectClient
	session string
}

// intrude connects to address from a host of its own.
func intrude(t testing.TB, n *testkit.Network, address string) *intruder {
	t.Helper()
	host := n.Host("intruder")
	conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, a string) (net.Conn, error) { return host.Dial(ctx, a) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &intruder{t: t, client: remotepb.NewRemoteClient(conn)}
}

func (i *intruder) open(first *remotepb.Frame) remotepb.Remote_ConnectClient {
	i.t.Helper()
	st, err := i.client.Connect(i.t.Context())
	if err != nil {
		i.t.Fatal(err)
	}
	if first != nil {
		if err := st.Send(first); err != nil {
			i.t.Fatal(err)
		}
	}
	return st
}

func hello(change func(*remotepb.Hello)) *remotepb.Frame {
	h := &remotepb.Hello{Version: 2, System: "intruder", Lanes: 2, MaxMessageBytes: 1 << 20}
	if change != nil {
		change(h)
	}
	return &remotepb.Frame{Hello: h}
}

// greet opens a session as a client, or as a member if address is not empty.
func (i *intruder) greet(address string) {
	i.t.Helper()
	i.control = i.open(hello(func(h *remotepb.Hello) { h.Address = address }))
	f, err := i.control.Recv()
	if err != nil {
		i.t.Fatal(err)
	}
	i.session = f.Welcome.Session
}

func (i *intruder) join(lane uint32) remotepb.Remote_ConnectClient {
	i.t.Helper()
	return i.open(&remotepb.Frame{Join: &remotepb.Join{Session: i.session, Lane: lane}})
}

// batch sends a batch on a lane and returns it.
func (i *intruder) batch(b *remotepb.Batch) remotepb.Remote_ConnectClient {
	i.t.Helper()
	return i.frame(&remotepb.Frame{Batch: encode(i.t, b)})
}

func (i *intruder) frame(f *remotepb.Frame) remotepb.Remote_ConnectClient {
	i.t.Helper()
	i.greet("")
	st := i.join(0)
	if err := st.Send(f); err != nil {
		i.t.Fatal(err)
	}
	return st
}

// signal sends signals on the control stream and returns it.
func (i *intruder) signal(signals ...*remotepb.Signal) remotepb.Remote_ConnectClient {
	i.t.Helper()
	if i.control == nil {
		i.greet("")
	}
	if err := i.control.Send(&remotepb.Frame{Signals: encode(i.t, &remotepb.Signals{Signals: signals})}); err != nil {
		i.t.Fatal(err)
	}
	return i.control
}

func encode(t testing.TB, m proto.Message) []byte {
	t.Helper()
	raw, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// one is a good batch of one message, after change.
func one(change func(*remotepb.Batch)) *remotepb.Batch {
	b := &remotepb.Batch{
		Types: []string{"string"}, Targets: []string{"echo"}, Senders: []string{"me"},
		Type: []uint32{1}, Target: []uint32{0}, Sender: []uint32{1}, Size: []uint32{2}, Payload: []byte("hi"),
	}
	if change != nil {
		change(b)
	}
	return b
}

// flood is an encoded field repeated n times.
func flood(number protowire.Number, content []byte, n int) []byte {
	field := protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), content)
	var raw []byte
	for range n {
		raw = append(raw, field...)
	}
	return raw
}

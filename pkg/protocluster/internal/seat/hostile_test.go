package seat_test

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/seatpb"
	"github.com/protocluster/workshop/pkg/protocluster/internal/seat"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// raw is a frame as it is on the wire.
type raw []byte

// rawCodec sends raw frames as they are.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(v any) ([]byte, error) { return *v.(*raw), nil }

func (rawCodec) Unmarshal([]byte, any) error { return nil }

// intruder speaks to nodes by hand.
type intruder struct {
	w    *world
	conn *grpc.ClientConn
}

func (w *world) intrude(address string) *intruder {
	w.Helper()
	host := w.Host("intruder")
	conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, a string) (net.Conn, error) { return host.Dial(ctx, a) }))
	if err != nil {
		w.Fatal(err)
	}
	return &intruder{w: w, conn: conn}
}

func (i *intruder) open() seatpb.Seat_TellClient {
	i.w.Helper()
	st, err := seatpb.NewSeatClient(i.conn).Tell(i.w.Context())
	if err != nil {
		i.w.Fatal(err)
	}
	return st
}

// say sends frames over a stream of its own and returns how it ends.
func (i *intruder) say(frames ...*seatpb.Frame) error {
	i.w.Helper()
	st := i.open()
	for _, f := range frames {
		if err := st.Send(f); err != nil && !errors.Is(err, io.EOF) {
			i.w.Fatal(err)
		}
	}
	return ending(st)
}

// ending is how a stream ends.
func ending(st seatpb.Seat_TellClient) error {
	for {
		if _, err := st.Recv(); err != nil {
			return err
		}
	}
}

func hello(change func(h *seatpb.Hello)) *seatpb.Frame {
	h := &seatpb.Hello{Version: 3, Cluster: "shop", Member: "intruder", Address: "intruder:1"}
	if change != nil {
		change(h)
	}
	return &seatpb.Frame{Content: &seatpb.Frame_Hello{Hello: h}}
}

func renew(change func(r *seatpb.Renew)) *seatpb.Frame {
	r := &seatpb.Renew{View: &seatpb.Stamp{Epoch: 1, Seal: "x"}, Seq: 1}
	if change != nil {
		change(r)
	}
	return &seatpb.Frame{To: "a0", Content: &seatpb.Frame_Renew{Renew: r}}
}

func excluded(remaining int64) *seatpb.Frame {
	e := &seatpb.Excluded{View: &seatpb.Stamp{Epoch: 1, Seal: "x"}, Target: "b1", Excluded: true, Remaining: remaining}
	return &seatpb.Frame{To: "a0", Content: &seatpb.Frame_Excluded{Excluded: e}}
}

func push(record string) *seatpb.Frame {
	return &seatpb.Frame{To: "a0", Content: &seatpb.Frame_Push{Push: &seatpb.Push{Record: []byte(record)}}}
}

// What a stranger sends costs it its stream and the node nothing.
func TestHostile(t *testing.T) {
	long := strings.Repeat("x", 600)
	asB := hello(func(h *seatpb.Hello) { h.Member, h.Address = "b1", "b:4000" })
	rows := []struct {
		name   string
		frames []*seatpb.Frame
		code   codes.Code
		reason string // under which it is counted
	}{
		{"no greeting", []*seatpb.Frame{renew(nil)}, codes.InvalidArgument, "no greeting"},
		{"nothing", []*seatpb.Frame{{}}, codes.InvalidArgument, "no greeting"},
		{"another version", []*seatpb.Frame{hello(func(h *seatpb.Hello) { h.Version = 1 })}, codes.FailedPrecondition, "wrong version"},
		{"another cluster", []*seatpb.Frame{hello(func(h *seatpb.Hello) { h.Cluster = "other" })}, codes.FailedPrecondition, "wrong cluster"},
		{"no id", []*seatpb.Frame{hello(func(h *seatpb.Hello) { h.Member = "" })}, codes.InvalidArgument, "malformed hello"},
		{"the store's id", []*seatpb.Frame{hello(func(h *seatpb.Hello) { h.Member = "$store" })}, codes.InvalidArgument, "malformed hello"},
		{"a long id", []*seatpb.Frame{hello(func(h *seatpb.Hello) { h.Member = long })}, codes.InvalidArgument, "malformed hello"},
		{"no address", []*seatpb.Frame{hello(func(h *seatpb.Hello) { h.Address = "" })}, codes.InvalidArgument, "malformed hello"},
		{"no port", []*seatpb.Frame{hello(func(h *seatpb.Hello) { h.Address = "x" })}, codes.InvalidArgument, "malformed hello"},
		{"this node's address", []*seatpb.Frame{hello(func(h *seatpb.Hello) { h.Address = "a:4000" })}, codes.PermissionDenied, "foreign address"},
		{"this node's id", []*seatpb.Frame{hello(func(h *seatpb.Hello) { h.Member = "a0" })}, codes.PermissionDenied, "foreign address"},
		{"another member's id", []*seatpb.Frame{hello(func(h *seatpb.Hello) { h.Member = "b1" }), renew(nil)}, codes.PermissionDenied, "foreign member"},
		{"two addresses", []*seatpb.Frame{hello(nil), hello(func(h *seatpb.Hello) { h.Address = "x:1" })}, codes.PermissionDenied, "foreign address"},
		{"no content", []*seatpb.Frame{hello(nil), {To: "a0"}}, codes.InvalidArgument, "malformed"},
		{"no view", []*seatpb.Frame{hello(nil), renew(func(r *seatpb.Renew) { r.View = nil })}, codes.InvalidArgument, "malformed"},
		{"an epoch out of bounds", []*seatpb.Frame{hello(nil), renew(func(r *seatpb.Renew) { r.View.Epoch = math.MaxUint64 })}, codes.InvalidArgument, "malformed"},
		{"a long seal", []*seatpb.Frame{hello(nil), renew(func(r *seatpb.Renew) { r.View.Seal = long })}, codes.InvalidArgument, "malformed"},
		{"a promise for ever", []*seatpb.Frame{hello(nil), excluded(math.MaxInt64)}, codes.InvalidArgument, "malformed"},
		{"a promise that ended", []*seatpb.Frame{hello(nil), excluded(-1)}, codes.InvalidArgument, "malformed"},
		{"a member's garbled view", []*seatpb.Frame{asB, push("{")}, codes.InvalidArgument, "malformed"},
		{"a frame of more than a megabyte", []*seatpb.Frame{hello(nil), push(strings.Repeat("x", 1<<20))}, codes.ResourceExhausted, "oversized"},
		{"a frame of more than all messages may have", []*seatpb.Frame{hello(nil), push(strings.Repeat("x", 5<<20))}, codes.ResourceExhausted, "oversized"},
		{"no word at all", nil, codes.DeadlineExceeded, "silent"},
		{"no word after the greeting", []*seatpb.Frame{hello(nil)}, codes.DeadlineExceeded, "silent"},
		{"a stranger's view", []*seatpb.Frame{hello(nil), push("{")}, codes.DeadlineExceeded, "silent"},
		{"for another member", []*seatpb.Frame{hello(nil), {To: "b1", Content: renew(nil).Content}}, codes.DeadlineExceeded, "misdirected"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				a, b := w.start("a"), w.start("b")
				w.together(5*time.Second, a, b)
				i := w.intrude("a:4000")
				defer func() { _ = i.conn.Close() }()
				if row.frames != nil && row.frames[0] == asB { // whose stream from b goes on
					b.kill()
				}
				err := i.say(row.frames...)
				if status.Code(err) != row.code {
					t.Errorf("the stream ended with %v, want %v", err, row.code)
				}
				if got := a.Stats().Rejected[row.reason]; got != 1 {
					t.Errorf("counted %v, want one %q", a.Stats().Rejected, row.reason)
				}
				if !a.Serves() {
					t.Error("the node does not serve any more")
				}
			})
		})
	}
}

// Bytes that are no frame end one stream.
func TestHostile_RawBytes(t *testing.T) {
	flood := protowire.AppendBytes(protowire.AppendTag(nil, 2, protowire.BytesType), nil)
	rows := map[string][]byte{
		"cut off":      {0x12, 0x7f},
		"not UTF-8":    protowire.AppendString(protowire.AppendTag(nil, 11, protowire.BytesType), "\xff"),
		"wrong type":   protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 1),
		"unknown":      protowire.AppendString(protowire.AppendTag(nil, 99, protowire.BytesType), strings.Repeat("x", 1<<19)),
		"field floods": []byte(strings.Repeat(string(flood), 1<<18)),
	}
	for name, bytes := range rows {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				a := w.start("a")
				w.together(5*time.Second, a)
				i := w.intrude("a:4000")
				defer func() { _ = i.conn.Close() }()
				st, err := i.conn.NewStream(w.Context(), &grpc.StreamDesc{ClientStreams: true, ServerStreams: true},
					seatpb.Seat_Tell_FullMethodName, grpc.ForceCodec(rawCodec{}))
				if err != nil {
					t.Fatal(err)
				}
				if err := st.SendMsg((*raw)(&bytes)); err != nil {
					t.Fatal(err)
				}
				err = st.RecvMsg(new(raw))
				if code := status.Code(err); code != codes.InvalidArgument && code != codes.Internal {
					t.Errorf("the stream ended with %v", err)
				}
				w.pass(time.Second)
				if !a.Serves() {
					t.Error("the node does not serve any more")
				}
			})
		})
	}
}

// A node that is not sure who calls asks its network.
func TestHostile_Unverified(t *testing.T) {
	inWorld(t, func(w *world) {
		asked := ""
		a := w.start("a", func(c *seat.Config) {
			c.Verify = func(_ context.Context, address string) error {
				asked = address
				return errors.New("its certificate is for somebody else")
			}
		})
		w.together(5*time.Second, a)
		i := w.intrude("a:4000")
		defer func() { _ = i.conn.Close() }()
		err := i.say(hello(nil))
		if status.Code(err) != codes.PermissionDenied || !strings.Contains(err.Error(), "somebody else") || asked != "intruder:1" {
			t.Errorf("the stream ended with %v, after %q was asked for", err, asked)
		}
	})
}

// Whoever says so himself is not dialled.
func TestHostile_NobodyIsDialledOnHisOwnWord(t *testing.T) {
	inWorld(t, func(w *world) {
		a := w.start("a")
		w.together(5*time.Second, a)
		i := w.intrude("a:4000")
		defer func() { _ = i.conn.Close() }()
		st := i.open()
		for _, f := range []*seatpb.Frame{
			hello(func(h *seatpb.Hello) { h.Address = "victim:80" }),
			{To: "a0", Content: &seatpb.Frame_Knock{Knock: &seatpb.Knock{}}}, renew(nil),
		} {
			if err := st.Send(f); err != nil {
				t.Fatal(err)
			}
		}
		w.pass(time.Second)
		for want := uint64(1); want <= 3; want++ {
			if f, err := st.Recv(); err != nil || f.GetArrived() != want || f.Content != nil {
				t.Errorf("what came back is %v, %v, want a receipt for %d frames", f, err, want)
			}
		}
		if n := w.Dials(testkit.Route{From: "a", To: "victim"}); n != 0 {
			t.Errorf("the victim was dialled %d times", n)
		}
		if s := a.Stats(); s.Received != 2 || s.Dropped == 0 {
			t.Errorf("%+v, want two messages, and the answers dropped", s)
		}
	})
}

// A node has one stream to another at a time: the newest.
func TestHostile_Superseded(t *testing.T) {
	inWorld(t, func(w *world) {
		a := w.start("a")
		w.together(5*time.Second, a)
		i := w.intrude("a:4000")
		defer func() { _ = i.conn.Close() }()
		first := i.open()
		if err := first.Send(hello(nil)); err != nil {
			t.Fatal(err)
		}
		if _, err := first.Recv(); err != nil {
			t.Fatal(err)
		}
		second := i.open()
		if err := second.Send(hello(func(h *seatpb.Hello) { h.Member = "intruder2" })); err != nil {
			t.Fatal(err)
		}
		if err := ending(first); status.Code(err) != codes.Aborted {
			t.Errorf("the first stream ended with %v", err)
		}
		if err := second.CloseSend(); err != nil {
			t.Fatal(err)
		}
		if err := ending(second); !errors.Is(err, io.EOF) {
			t.Errorf("the second stream ended with %v", err)
		}
	})
}

// Until a seat is taken, and afterwards, nobody is listened to.
func TestHostile_NoSeat(t *testing.T) {
	inWorld(t, func(w *world) {
		w.prepare("a")
		i := w.intrude("a:4000")
		defer func() { _ = i.conn.Close() }()
		if err := i.say(hello(nil)); status.Code(err) != codes.Unavailable {
			t.Errorf("the stream ended with %v", err)
		}
		w.nodes[0].run()
		w.together(5*time.Second, w.nodes[0])
		st := i.open()
		if err := st.Send(hello(nil)); err != nil {
			t.Fatal(err)
		}
		w.nodes[0].cancel()
		if err := ending(st); status.Code(err) != codes.Unavailable {
			t.Errorf("the stream ended with %v", err)
		}
	})
}

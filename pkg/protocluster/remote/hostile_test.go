package remote_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/remotepb"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

type catalogueRow struct {
	name   string
	act    func(i *intruder) remotepb.Remote_ConnectClient
	reason string                // that is counted
	code   codes.Code            // with which the stream ends; OK if it goes on
	text   string                // of the status
	bounce remotepb.Failure_Code // that comes back on the control stream, if the stream goes on
}

var catalogue = []catalogueRow{
	{name: "first frame empty", act: func(i *intruder) remotepb.Remote_ConnectClient { return i.open(&remotepb.Frame{}) },
		reason: "no greeting", code: codes.InvalidArgument, text: "must be Hello or Join"},
	{name: "first frame a batch", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.open(&remotepb.Frame{Batch: []byte("x")})
	}, reason: "no greeting", code: codes.InvalidArgument, text: "must be Hello or Join"},
	{name: "no first frame", act: func(i *intruder) remotepb.Remote_ConnectClient { return i.open(nil) },
		reason: "no greeting", code: codes.DeadlineExceeded, text: "within 5s"},
	{name: "older version", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.open(hello(func(h *remotepb.Hello) { h.Version = 1 }))
	}, reason: "wrong version", code: codes.FailedPrecondition, text: "version 1"},
	{name: "newer version", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.open(hello(func(h *remotepb.Hello) { h.Version = 3 }))
	}, reason: "wrong version", code: codes.FailedPrecondition, text: "this node version 2"},
	{name: "wrong cluster", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.open(hello(func(h *remotepb.Hello) { h.Cluster = "other" }))
	}, reason: "wrong cluster", code: codes.FailedPrecondition, text: `"other"`},
	{name: "no system", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.open(hello(func(h *remotepb.Hello) { h.System = "" }))
	}, reason: "malformed hello", code: codes.InvalidArgument},
	{name: "huge system", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.open(hello(func(h *remotepb.Hello) { h.System = strings.Repeat("x", 1<<20) }))
	}, reason: "malformed hello", code: codes.InvalidArgument},
	{name: "address without a port", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.open(hello(func(h *remotepb.Hello) { h.Address = "x" }))
	}, reason: "malformed hello", code: codes.InvalidArgument, text: "not host:port"},
	{name: "address of the node itself", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.open(hello(func(h *remotepb.Hello) { h.Address = "b:40000" }))
	}, reason: "foreign address", code: codes.PermissionDenied, text: "claims to be this node"},
	{name: "no lanes", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.open(hello(func(h *remotepb.Hello) { h.Lanes = 0 }))
	}, reason: "malformed hello", code: codes.InvalidArgument, text: "0 lanes"},
	{name: "too many lanes", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.open(hello(func(h *remotepb.Hello) { h.Lanes = 1 << 31 }))
	}, reason: "malformed hello", code: codes.InvalidArgument, text: "2147483648 lanes"},
	{name: "takes no messages", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.open(hello(func(h *remotepb.Hello) { h.MaxMessageBytes = 0 }))
	}, reason: "malformed hello", code: codes.InvalidArgument},
	{name: "unknown session", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.open(&remotepb.Frame{Join: &remotepb.Join{Session: "guess"}})
	}, reason: "unknown session", code: codes.PermissionDenied},
	{name: "lane out of range", act: func(i *intruder) remotepb.Remote_ConnectClient { i.greet(""); return i.join(1 << 31) },
		reason: "wrong lane", code: codes.InvalidArgument},
	{name: "lane not announced", act: func(i *intruder) remotepb.Remote_ConnectClient { i.greet(""); return i.join(2) },
		reason: "wrong lane", code: codes.InvalidArgument},
	{name: "lane taken", act: func(i *intruder) remotepb.Remote_ConnectClient { i.greet(""); i.join(0); return i.join(0) },
		reason: "wrong lane", code: codes.InvalidArgument},
	{name: "session superseded", act: func(i *intruder) remotepb.Remote_ConnectClient {
		i.greet("")
		old := i.control
		i.greet("")
		return old
	}, reason: "superseded", code: codes.Aborted},

	{name: "oversized frame", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.frame(&remotepb.Frame{Batch: make([]byte, 5<<20)})
	}, reason: "oversized frame", code: codes.ResourceExhausted},
	{name: "signals on a lane", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.frame(&remotepb.Frame{Signals: []byte{}})
	}, reason: "wrong frame", code: codes.InvalidArgument},
	{name: "batch of noise", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.frame(&remotepb.Frame{Batch: []byte("\xff\xff\xff noise")})
	}, reason: "malformed batch", code: codes.InvalidArgument},
	{name: "a million tiny messages", act: func(i *intruder) remotepb.Remote_ConnectClient {
		zeros := make([]uint32, 1_000_000)
		return i.batch(&remotepb.Batch{Targets: []string{"echo"}, Type: zeros, Target: zeros, Sender: zeros, Size: zeros})
	}, reason: "malformed batch", code: codes.InvalidArgument, text: "more than 1000"},
	{name: "1001 messages", act: func(i *intruder) remotepb.Remote_ConnectClient {
		zeros := make([]uint32, 1001)
		return i.batch(&remotepb.Batch{Targets: []string{"echo"}, Type: zeros, Target: zeros, Sender: zeros, Size: zeros})
	}, reason: "malformed batch", code: codes.InvalidArgument, text: "more than 1000"},
	{name: "a million names", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.frame(&remotepb.Frame{Batch: flood(1, nil, 1_000_000)})
	}, reason: "malformed batch", code: codes.InvalidArgument, text: "more than 1000"},
	{name: "a million metas", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.frame(&remotepb.Frame{Batch: flood(9, nil, 1_000_000)})
	}, reason: "malformed batch", code: codes.InvalidArgument, text: "more than 1000"},
	{name: "a million headers", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.frame(&remotepb.Frame{Batch: flood(9, flood(3, nil, 1_000_000), 1)})
	}, reason: "malformed batch", code: codes.InvalidArgument, text: "more than 64"},
	{name: "a million duplicates of a field", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.frame(&remotepb.Frame{Batch: flood(8, []byte("x"), 1_000_000)})
	}, reason: "malformed batch", code: codes.InvalidArgument, text: "more than 1000"},
	{name: "a million unknown fields", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.frame(&remotepb.Frame{Batch: flood(77, nil, 1_000_000)})
	}, reason: "malformed batch", code: codes.InvalidArgument, text: "more than 1000"},
	{name: "columns of unequal length", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.batch(one(func(b *remotepb.Batch) { b.Sender = nil }))
	}, reason: "malformed batch", code: codes.InvalidArgument, text: "want the same"},
	{name: "a message of 4 GiB", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.batch(one(func(b *remotepb.Batch) { b.Size[0] = 1<<32 - 1 }))
	}, reason: "malformed batch", code: codes.InvalidArgument, text: "4294967295 bytes"},
	{name: "payload left over", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.batch(one(func(b *remotepb.Batch) { b.Size[0] = 1 }))
	}, reason: "malformed batch", code: codes.InvalidArgument},
	{name: "meta out of order", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.batch(one(func(b *remotepb.Batch) { b.Meta = []*remotepb.Meta{{Message: 1<<32 - 1}, {}} }))
	}, reason: "malformed batch", code: codes.InvalidArgument},

	{name: "type out of range", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.batch(one(func(b *remotepb.Batch) { b.Type[0] = 2 }))
	}, reason: "malformed", bounce: remotepb.Failure_MALFORMED},
	{name: "type negative", act: func(i *intruder) remotepb.Remote_ConnectClient {
		minus := int32(-1)
		return i.batch(one(func(b *remotepb.Batch) { b.Type[0] = uint32(minus) }))
	}, reason: "malformed", bounce: remotepb.Failure_MALFORMED},
	{name: "target out of range", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.batch(one(func(b *remotepb.Batch) { b.Target[0] = 1 }))
	}, reason: "malformed", bounce: remotepb.Failure_MALFORMED},
	{name: "sender out of range", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.batch(one(func(b *remotepb.Batch) { b.Sender[0] = 1<<32 - 1 }))
	}, reason: "malformed", bounce: remotepb.Failure_MALFORMED},
	{name: "unknown type", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.batch(one(func(b *remotepb.Batch) { b.Types[0] = "no.such.Type" }))
	}, reason: "unknown type", bounce: remotepb.Failure_UNKNOWN_TYPE},
	{name: "an enum as type", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.batch(one(func(b *remotepb.Batch) { b.Types[0] = "google.protobuf.NullValue" }))
	}, reason: "unknown type", bounce: remotepb.Failure_UNKNOWN_TYPE},
	{name: "malformed message", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.batch(one(func(b *remotepb.Batch) { b.Types[0], b.Payload = "google.protobuf.StringValue", []byte("\xff\xff") }))
	}, reason: "malformed", bounce: remotepb.Failure_MALFORMED},
	{name: "number of the wrong size", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.batch(one(func(b *remotepb.Batch) { b.Types[0] = "int64" }))
	}, reason: "malformed", bounce: remotepb.Failure_MALFORMED},
	{name: "no target", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.batch(one(func(b *remotepb.Batch) { b.Targets[0] = "" }))
	}, reason: "malformed", bounce: remotepb.Failure_MALFORMED},
	{name: "target on another node", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.batch(one(func(b *remotepb.Batch) { b.Targets[0] = "10.0.0.9:1/x" })) // it is only ever a local id
	}, reason: "no actor", bounce: remotepb.Failure_NO_ACTOR},
	{name: "reply to a request never made", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.batch(one(func(b *remotepb.Batch) { b.Targets[0] = "$future-x1" }))
	}, reason: "no actor", bounce: remotepb.Failure_NO_ACTOR},
	{name: "deadline in a million years", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.batch(one(func(b *remotepb.Batch) {
			b.Targets[0], b.Meta = "nobody", []*remotepb.Meta{{Remaining: 1<<64 - 1, Header: []string{"odd"}}}
		}))
	}, reason: "no actor", bounce: remotepb.Failure_NO_ACTOR},
	{name: "stop from a client", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.batch(one(func(b *remotepb.Batch) { b.Types[0] = "actor.Stop" }))
	}, reason: "forbidden", bounce: remotepb.Failure_FORBIDDEN},
	{name: "poison from a client", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.batch(one(func(b *remotepb.Batch) { b.Types[0] = "actor.PoisonPill" }))
	}, reason: "forbidden", bounce: remotepb.Failure_FORBIDDEN},

	{name: "a second hello", act: func(i *intruder) remotepb.Remote_ConnectClient {
		i.greet("")
		_ = i.control.Send(hello(nil))
		return i.control
	}, reason: "wrong frame", code: codes.InvalidArgument},
	{name: "batch on the control stream", act: func(i *intruder) remotepb.Remote_ConnectClient {
		i.greet("")
		_ = i.control.Send(&remotepb.Frame{Batch: encode(i.t, one(nil))})
		return i.control
	}, reason: "wrong frame", code: codes.InvalidArgument},
	{name: "signals of noise", act: func(i *intruder) remotepb.Remote_ConnectClient {
		i.greet("")
		_ = i.control.Send(&remotepb.Frame{Signals: []byte("\xffnoise")})
		return i.control
	}, reason: "malformed signals", code: codes.InvalidArgument},
	{name: "a million signals", act: func(i *intruder) remotepb.Remote_ConnectClient {
		i.greet("")
		_ = i.control.Send(&remotepb.Frame{Signals: flood(1, nil, 1_000_000)})
		return i.control
	}, reason: "malformed signals", code: codes.InvalidArgument},
	{name: "unknown signal", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.signal(&remotepb.Signal{Kind: 99})
	}, reason: "unknown signal"},
	{name: "terminated without watch", act: func(i *intruder) remotepb.Remote_ConnectClient {
		return i.signal(&remotepb.Signal{Kind: remotepb.Signal_TERMINATED, To: "echo", From: "x"})
	}, reason: "terminated without watch"},
	{name: "bounce of nothing", act: func(i *intruder) remotepb.Remote_ConnectClient {
		i.greet("10.0.0.9:1")
		return i.signal(&remotepb.Signal{Kind: remotepb.Signal_BOUNCE, To: "$future-x1"})
	}, reason: "bounce of nothing"},
	{name: "watch flood", act: func(i *intruder) remotepb.Remote_ConnectClient {
		i.greet("")
		for k := range 11 {
			var signals []*remotepb.Signal
			for w := range 1000 {
				signals = append(signals, &remotepb.Signal{Kind: remotepb.Signal_WATCH, To: "echo", From: fmt.Sprint(k, "-", w)})
			}
			i.signal(signals...)
		}
		return i.control
	}, reason: "too many watches"},
}

// Whatever a peer sends, the node goes on serving others, counts what was wrong
// and says so: by a status, if the peer broke the protocol, and else by a
// bounce.
func TestBadInput(t *testing.T) {
	for _, row := range catalogue {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, n *testkit.Network) {
				healthy, b := start(t, on(n, "healthy")), start(t, on(n, "b"))
				b.echo(t, "echo")
				check := func() {
					if got, err := healthy.ask(t, b.at("echo"), 1, time.Second); got != 1 || err != nil {
						t.Errorf("a healthy peer got %v, %v, want 1", got, err)
					}
				}
				check()
				i := intrude(t, n, b.Address())
				st := row.act(i)
				if row.code != codes.OK {
					err := drain(st)
					if status.Code(err) != row.code || !strings.Contains(err.Error(), row.text) {
						t.Errorf("the stream ended with %v, want %v saying %q", err, row.code, row.text)
					}
				} else {
					testkit.Advance(100 * time.Millisecond)
				}
				if got := b.Rejected()[row.reason]; got == 0 {
					t.Errorf("counted %v, want one of %q", b.Rejected(), row.reason)
				}
				if row.bounce != 0 {
					i.bounced(row.bounce)
				}
				if got := n.Dials(testkit.Route{From: "b", To: "10.0.0.9"}); got != 0 {
					t.Errorf("the node dialled an address that was only announced")
				}
				if row.code == codes.OK { // the session goes on
					if st := i.join(1); st.Send(&remotepb.Frame{Batch: encode(t, one(nil))}) != nil {
						t.Error("the session has ended, want it to go on")
					}
					testkit.Advance(100 * time.Millisecond)
					if err := i.control.Send(&remotepb.Frame{}); err != nil {
						t.Errorf("the session has ended with %v, want it to go on", err)
					}
				}
				check()
				if got := n.Dials(testkit.Route{From: "healthy", To: "b"}); got != 1 {
					t.Errorf("the healthy peer connected %d times, want 1", got)
				}
			})
		})
	}
}

func drain(st remotepb.Remote_ConnectClient) error {
	for {
		if _, err := st.Recv(); err != nil {
			return err
		}
	}
}

// bounced expects one message to come back.
func (i *intruder) bounced(want remotepb.Failure_Code) {
	i.t.Helper()
	f, err := i.control.Recv()
	for err == nil && f.Signals == nil { // a heartbeat
		f, err = i.control.Recv()
	}
	var all remotepb.Signals
	if err := errors.Join(err, proto.Unmarshal(f.GetSignals(), &all)); err != nil {
		i.t.Fatal(err)
	}
	if len(all.Signals) != 1 || all.Signals[0].Kind != remotepb.Signal_BOUNCE || all.Signals[0].Failure.Code != want {
		i.t.Errorf("got %v, want a bounce because of %v", all.Signals, want)
	}
}

// A peer that reads nothing costs what the queue may hold and no more, and the
// node reads on.
func TestPeerThatDoesNotRead(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		b := start(t, on(n, "b", remote.WithMaxMessageBytes(64<<10), remote.WithQueueBytes(64<<10)))
		i := intrude(t, n, b.Address())
		i.greet("")
		st := i.join(0)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		bad := one(func(b *remotepb.Batch) {
			for range 999 {
				b.Type, b.Target, b.Sender, b.Size = append(b.Type, 7), append(b.Target, 0), append(b.Sender, 1), append(b.Size, 0)
			}
		})
		raw := encode(t, bad)
		for range 100 {
			if err := st.Send(&remotepb.Frame{Batch: raw}); err != nil {
				t.Fatal(err)
			}
			if err := i.control.Send(&remotepb.Frame{}); err != nil { // it claims to live
				t.Fatal(err)
			}
		}
		testkit.Advance(time.Second)
		runtime.GC()
		runtime.ReadMemStats(&after)
		if b.Rejected()["bounce dropped"] == 0 || b.Rejected()["malformed"] != 100*999 {
			t.Errorf("counted %v, want %d malformed and some bounces dropped", b.Rejected(), 100*999)
		}
		if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 8<<20 {
			t.Errorf("the heap grew by %d bytes", grown)
		}
	})
}

// A peer that opens more streams than a session needs waits for the first ones.
func TestManyStreams(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		b := start(t, on(n, "b"))
		i := intrude(t, n, b.Address())
		opened, waiting := 0, true
		for waiting && opened < 10_000 {
			ctx, cancel := context.WithCancel(t.Context())
			late := time.AfterFunc(time.Second, cancel)
			if _, err := i.client.Connect(ctx); err == nil {
				opened++
			}
			waiting = late.Stop()
			defer cancel()
		}
		if opened > 20 {
			t.Errorf("%d streams opened, want a few", opened)
		}
		testkit.Advance(10 * time.Second)
		if got := b.Rejected()["no greeting"]; got != opened {
			t.Errorf("%d streams ended for want of a greeting, want %d", got, opened)
		}
	})
}

// A peer that goes away without a word is forgotten, and what it watched.
func TestHalfOpen(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		b := start(t, on(n, "b"))
		i := intrude(t, n, b.Address())
		i.signal(&remotepb.Signal{Kind: remotepb.Signal_WATCH, To: "remote", From: "w"})
		st := i.join(0)
		testkit.Advance(time.Second)
		if err := b.system.TrySend(actor.NewPID("client-intruder", "x"), 1); err != nil {
			t.Fatal(err)
		}
		n.Crash("intruder")
		testkit.Advance(15 * time.Second)
		if err := b.system.TrySend(actor.NewPID("client-intruder", "x"), 1); !errors.Is(err, remote.ErrUnreachable) {
			t.Errorf("got %v, want ErrUnreachable", err)
		}
		n.Restart("intruder")
		if err := drain(st); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("the stream ended with %v, want an error", err)
		}
	})
}

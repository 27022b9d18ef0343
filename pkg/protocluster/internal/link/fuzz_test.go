package link

import (
	"slices"
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/remotepb"
	"github.com/protocluster/workshop/pkg/protocluster/internal/wire"
)

// nobody is a Node without actors: every message bounces.
type nobody struct{}

func (nobody) Address() string { return "127.0.0.1:1" }

func (nobody) Receive(_ Peer, b *wire.Reader) []*remotepb.Signal {
	return slices.Repeat([]*remotepb.Signal{{Kind: remotepb.Signal_BOUNCE}}, b.Len())
}
func (nobody) Undelivered(string, wire.Message, error) {}
func (nobody) Watched(string, Watch)                   {}
func (nobody) Unwatched(string, Watch)                 {}
func (nobody) Terminated(string, Watch, error)         {}

// fuzzed is a session with a client whose frames are made up. Nothing is sent.
func fuzzed() *session {
	e := New(nobody{}, Config{System: "me", QueueBytes: 16 << 20})
	return newSession(e, Peer{Address: "client-x", System: "x", Client: true, limit: 1 << 20}, nil, 1)
}

// FuzzSignals feeds bytes to the control stream.
func FuzzSignals(f *testing.F) {
	s := fuzzed()
	f.Fuzz(func(t *testing.T, raw []byte) {
		_ = s.readControl(&inbound{Frame: remotepb.Frame{Signals: raw}})
		s.control.take()
		if s.err != nil {
			t.Fatalf("signals ended the session: %v", s.err)
		}
		clear(s.watches)
	})
}

// FuzzLane feeds bytes to a data lane: a batch is refused whole, or each of its
// messages is handed on.
func FuzzLane(f *testing.F) {
	s := fuzzed()
	handle, again := s.laneReader(), wire.NewReader(nil, "client-x")
	f.Add([]byte("\n\x06string\x12\x04echo\x1a\x02me\"\x02\x01\x00*\x02\x00\x002\x02\x01\x00:\x02\x02\x00B\x02hi"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		err := handle(&inbound{Frame: remotepb.Frame{Batch: append([]byte{}, raw...)}})
		bounced := s.control.take()
		bad := again.Read(raw)
		if (err == nil) != (bad == nil) || bad == nil && len(bounced) != again.Len() {
			t.Fatalf("handled with %v, read with %v, %d bounced", err, bad, len(bounced))
		}
	})
}

package remote

import (
	"errors"
	"log/slog"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/remotepb"
)

// fuzzed is a session with a client whose frames are made up. Nothing is sent.
func fuzzed(f *testing.F) *session {
	f.Helper()
	system := actor.NewSystem(actor.WithLogger(slog.New(slog.DiscardHandler)))
	f.Cleanup(func() { _ = system.Shutdown(f.Context()) })
	if _, err := system.SpawnNamed(actor.PropsFromFunc(func(actor.Context) {}), "echo"); err != nil {
		f.Fatal(err)
	}
	r := New(system, Configure("127.0.0.1", 0, WithTypes(Instance{})))
	return newSession(r, peer{address: "client-x", system: "x", client: true, limit: 1 << 20}, nil, 1)
}

// FuzzEnvelopeDecode feeds bytes as a batch: it is handled message by message,
// or refused whole, and never more than the bound of anything is made of it.
func FuzzEnvelopeDecode(f *testing.F) {
	s := fuzzed(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		err := s.readLane(&remotepb.Frame{Batch: append([]byte{}, raw...)})
		s.control.take()
		b, decodeErr := decodeBatch(raw)
		if (err == nil) != (decodeErr == nil) {
			t.Fatalf("handled with %v, decoded with %v", err, decodeErr)
		}
		if err != nil {
			return
		}
		if n := len(b.Type); n > batchCount || len(b.Types) > batchCount || len(b.Targets) > batchCount || len(b.Senders) > batchCount || len(b.Meta) > batchCount {
			t.Fatalf("a batch beyond its bounds: %d messages", n)
		}
	})
}

// FuzzBatchIndexes sends one message with any indexes: it arrives, is withdrawn
// or bounces.
func FuzzBatchIndexes(f *testing.F) {
	s := fuzzed(f)
	f.Fuzz(func(t *testing.T, typ, target, sender, size, meta uint32, names uint8) {
		b := &remotepb.Batch{
			Type: []uint32{typ}, Target: []uint32{target}, Sender: []uint32{sender}, Size: []uint32{size},
			Payload: make([]byte, min(size, 1000)), Meta: []*remotepb.Meta{{Message: meta, Remaining: uint64(meta) << 32}},
		}
		for range names % 4 {
			b.Types, b.Targets, b.Senders = append(b.Types, "bytes"), append(b.Targets, "echo"), append(b.Senders, "a")
		}
		raw, err := proto.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		err = s.readLane(&remotepb.Frame{Batch: raw})
		bounced := s.control.take()
		n := uint32(names % 4)
		good := typ <= n && target < n && sender <= n
		switch {
		case size > 1000:
			if err == nil {
				t.Fatal("a message longer than the payload was taken")
			}
		case err != nil:
			t.Fatalf("one message ended the stream: %v", err)
		case typ != 0 && !good != (len(bounced) == 1):
			t.Fatalf("good %v, bounced %v", good, bounced)
		}
	})
}

// FuzzSignals feeds bytes to the control stream.
func FuzzSignals(f *testing.F) {
	s := fuzzed(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		_ = s.readControl(&remotepb.Frame{Signals: raw})
		s.control.take()
		if s.err != nil {
			t.Fatalf("signals ended the session: %v", s.err)
		}
		clear(s.watches)
		clear(s.r.dead)
	})
}

// FuzzTypeRegistryLookup decodes any bytes as any type: what comes out can be
// encoded again, under the same name.
func FuzzTypeRegistryLookup(f *testing.F) {
	s := fuzzed(f)
	f.Fuzz(func(t *testing.T, name string, payload []byte) {
		m, err := s.r.types.Decode(name, payload)
		if err != nil {
			if !errors.Is(err, ErrUnknownType) && !errors.Is(err, ErrMalformed) {
				t.Fatalf("unexpected class of error: %v", err)
			}
			return
		}
		again, _, err := s.r.types.Encode(m)
		if err != nil && errors.Is(err, ErrUnknownType) || err == nil && again != name {
			t.Fatalf("%s became %T, which is encoded as %s, %v", name, m, again, err)
		}
	})
}

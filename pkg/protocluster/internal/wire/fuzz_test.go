package wire_test

import (
	"errors"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/remotepb"
	"github.com/protocluster/workshop/pkg/protocluster/internal/wire"
)

// FuzzEnvelopeDecode reads bytes as a batch: it is refused whole, or read
// message by message, and never more than the bound of anything is made of it.
// What is read is what protobuf reads.
func FuzzEnvelopeDecode(f *testing.F) {
	types, _ := wire.NewTypes(wire.Bounced{})
	r := wire.NewReader(types, "client-x")
	f.Fuzz(func(t *testing.T, raw []byte) {
		var b remotepb.Batch
		if err := proto.Unmarshal(raw, &b); err != nil {
			if r.Read(raw) == nil {
				t.Fatalf("read what protobuf refuses: %v", err)
			}
			return
		}
		if err := r.Read(raw); err != nil {
			return
		}
		if most := max(len(b.Type), len(b.Types), len(b.Targets), len(b.Senders), len(b.Meta)); most > wire.BatchCount {
			t.Fatalf("a batch beyond its bounds: %d of something", most)
		}
		if r.Len() != len(b.Type) {
			t.Fatalf("read %d messages, protobuf %d", r.Len(), len(b.Type))
		}
		for i, typ := range b.Type {
			if typ == 0 {
				continue
			}
			if !r.Next() {
				t.Fatalf("message %d is missing", i)
			}
			m, err := r.Message()
			if err == nil && m.To == "" || err != nil && m.Message != nil {
				t.Fatalf("message %+v with error %v", m, err)
			}
			if err == nil && (m.To != b.Targets[b.Target[i]] || m.Type != b.Types[typ-1]) {
				t.Fatalf("message %+v is not as protobuf reads it: %v", m, &b)
			}
		}
		if r.Next() {
			t.Fatal("one message too many")
		}
	})
}

// FuzzBatchIndexes reads one message with any indexes: it is whole, withdrawn,
// or an error of its own.
func FuzzBatchIndexes(f *testing.F) {
	types, _ := wire.NewTypes()
	r := wire.NewReader(types, "client-x")
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
		err = r.Read(raw)
		if size > 1000 {
			if err == nil {
				t.Fatal("a message longer than the payload was taken")
			}
			return
		}
		if err != nil {
			t.Fatalf("one message spoilt the batch: %v", err)
		}
		if r.Next() != (typ != 0) {
			t.Fatalf("type %d: withdrawn, or not", typ)
		}
		if typ == 0 {
			return
		}
		n := uint32(names % 4)
		good := typ <= n && target < n && sender <= n
		m, err := r.Message()
		if good != (err == nil) || good && (m.Meta != nil) != (meta == 0) {
			t.Fatalf("good %v, got %+v, %v", good, m, err)
		}
	})
}

// FuzzTypeRegistryLookup decodes any bytes as any type: what comes out can be
// encoded again, under the same name.
func FuzzTypeRegistryLookup(f *testing.F) {
	types, _ := wire.NewTypes(wire.Bounced{})
	f.Fuzz(func(t *testing.T, name string, payload []byte) {
		m, err := types.Decode(name, payload)
		if err != nil {
			if !errors.Is(err, wire.ErrUnknownType) && !errors.Is(err, wire.ErrMalformed) {
				t.Fatalf("unexpected class of error: %v", err)
			}
			return
		}
		again, _, err := types.Encode(m)
		if err != nil && errors.Is(err, wire.ErrUnknownType) || err == nil && again != name {
			t.Fatalf("%s became %T, which is encoded as %s, %v", name, m, again, err)
		}
	})
}

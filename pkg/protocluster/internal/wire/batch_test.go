package wire_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/remotepb"
	"github.com/protocluster/workshop/pkg/protocluster/internal/wire"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// fill adds n messages to b, from one of so many senders each.
func fill(t testing.TB, types *wire.Types, b *wire.Batch, n, senders int, meta *actor.Meta) {
	t.Helper()
	message, buf := wrapperspb.Bytes(make([]byte, 30)), new([]byte)
	for i := range n {
		p := wire.Parcel{Target: "echo", Sender: fmt.Sprintf("$future-%d", i%senders), Meta: meta}
		if err := p.Pack(types, buf, message, 1<<20); err != nil {
			t.Fatal(err)
		}
		b.Add(&p)
	}
}

// A batch is what protobuf makes of a frame of remote.proto, and is read as what
// was written, also when it is used again.
func TestBatchIsAFrame(t *testing.T) {
	types, _ := wire.NewTypes()
	b, r := new(wire.Batch), wire.NewReader(types, "a:1")
	header := map[string]string{"k": strings.Repeat("v", 300)}
	for _, n := range []int{1000, 0, 1, 300, 2} {
		meta := &actor.Meta{Deadline: time.Now().Add(time.Hour), Header: header}
		fill(t, types, b, n, 200, meta)
		b.Seal()
		raw := b.AppendFrame(nil)
		if len(raw) != b.FrameSize() {
			t.Errorf("a frame of %d bytes, announced as %d", len(raw), b.FrameSize())
		}
		var frame remotepb.Frame
		var content remotepb.Batch
		if err := proto.Unmarshal(raw, &frame); err != nil {
			t.Fatal(err)
		}
		if err := proto.Unmarshal(frame.Batch, &content); err != nil {
			t.Fatal(err)
		}
		if names := min(n, 200); len(content.Senders) != names || len(content.Type) != n || len(content.Meta) != n ||
			len(content.Payload) != 32*n {
			t.Fatalf("%d messages: %d senders, %d types, %d metas, %d bytes", n,
				len(content.Senders), len(content.Type), len(content.Meta), len(content.Payload))
		}
		batch, ok := wire.BatchOf(raw)
		if err := r.Read(batch); !ok || err != nil || r.Len() != n {
			t.Fatalf("%d messages: read %d, %v, %v", n, r.Len(), ok, err)
		}
		for i := range n {
			if !r.Next() {
				t.Fatalf("message %d of %d is missing", i, n)
			}
			m, err := r.Message()
			if from := fmt.Sprintf("$future-%d", i%200); err != nil || m.From != from || m.Sender.ID != from ||
				m.Meta == nil || time.Until(m.Meta.Deadline) < 59*time.Minute || m.Meta.Header["k"] != header["k"] {
				t.Fatalf("message %d of %d: %+v, %v", i, n, m, err)
			}
		}
		b.Reset()
	}
}

// What remains until a deadline counts from when a batch is read, not from when the
// one before was.
func TestReader_DeadlinesCountFromTheirBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		types, _ := wire.NewTypes()
		b, r := new(wire.Batch), wire.NewReader(types, "a:1")
		for round := range 2 {
			fill(t, types, b, 2, 2, &actor.Meta{Deadline: time.Now().Add(time.Hour)})
			testkit.Advance(time.Minute) // until it is written
			b.Seal()
			batch, _ := wire.BatchOf(b.AppendFrame(nil))
			testkit.Advance(time.Minute) // until it is read
			if err := r.Read(batch); err != nil {
				t.Fatal(err)
			}
			want := time.Now().Add(59 * time.Minute)
			for r.Next() {
				if m, err := r.Message(); err != nil || !m.Meta.Deadline.Equal(want) {
					t.Errorf("batch %d: the deadline is %v, %v; want %v", round, m.Meta.Deadline, err, want)
				}
				testkit.Advance(time.Second)
			}
			b.Reset()
		}
	})
}

// A payload can be sent without being copied into the frame; that of a large
// message is what the message was encoded into.
func TestBatch_Detach(t *testing.T) {
	types, _ := wire.NewTypes()
	lent := 0
	b := &wire.Batch{Lend: func(n int) *[]byte {
		lent++
		buf := make([]byte, n)
		return &buf
	}}
	for _, row := range []struct{ messages, bytes, lent int }{{1, 10, 0}, {60, 1000, 1}, {1, 100_000, 1}, {100, 600, 2}, {2, 20, 2}} {
		for range row.messages {
			p := wire.Parcel{Target: "echo"}
			if err := p.Pack(types, new([]byte), wrapperspb.Bytes(make([]byte, row.bytes)), 1<<20); err != nil {
				t.Fatal(err)
			}
			b.Add(&p)
		}
		whole, size := b.AppendFrame(nil), b.PayloadSize()
		head := b.AppendHead(nil)
		payload := *b.Detach()
		if len(payload) != size || !bytes.Equal(append(head, payload...), whole) {
			t.Errorf("%d of %d bytes: the parts of a frame are not the frame", row.messages, row.bytes)
		}
		if lent != row.lent {
			t.Errorf("%d of %d bytes: %d payloads were lent, want %d", row.messages, row.bytes, lent, row.lent)
		}
		b.Reset()
	}
}

// A frame that carries more than a batch is for protobuf to decode.
func TestBatchOfOtherFrames(t *testing.T) {
	for _, f := range []*remotepb.Frame{
		{}, {Goodbye: true}, {Signals: []byte{1}}, {Batch: []byte{1, 2}, Goodbye: true}, {Hello: &remotepb.Hello{}},
	} {
		raw, _ := proto.Marshal(f)
		if batch, ok := wire.BatchOf(raw); ok {
			t.Errorf("%v was taken for a batch %v", f, batch)
		}
	}
	if _, ok := wire.BatchOf([]byte{4<<3 | 2, 5, 1}); ok {
		t.Error("a batch that is cut off was taken")
	}
}

// BenchmarkBatch writes and reads batches, in nanoseconds a message.
func BenchmarkBatch(bench *testing.B) {
	for _, n := range []int{1, 1000} {
		bench.Run(fmt.Sprint(n), func(bench *testing.B) {
			types, _ := wire.NewTypes()
			b, r := new(wire.Batch), wire.NewReader(types, "a:1")
			p := wire.Parcel{Target: "echo", Sender: "$future-1"}
			message, buf, frame := wrapperspb.Bytes(make([]byte, 30)), new([]byte), []byte(nil)
			bench.ReportAllocs()
			for range (bench.N + n - 1) / n {
				for range n {
					if err := p.Pack(types, buf, message, 1<<20); err != nil {
						bench.Fatal(err)
					}
					b.Add(&p)
				}
				b.Seal()
				frame = b.AppendFrame(frame[:0])
				b.Reset()
				batch, _ := wire.BatchOf(frame)
				if err := r.Read(batch); err != nil {
					bench.Fatal(err)
				}
				for r.Next() {
					if _, err := r.Message(); err != nil {
						bench.Fatal(err)
					}
				}
			}
		})
	}
}

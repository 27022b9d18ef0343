package wire_test

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/wire"
)

type order struct {
	Item  string
	Count int
}

// point has a binary form of its own.
type point struct{ x, y byte }

func (p point) MarshalBinary() ([]byte, error) { return []byte{p.x, p.y}, nil }

func (p *point) UnmarshalBinary(b []byte) error {
	if len(b) != 2 {
		return errors.New("a point has two bytes")
	}
	p.x, p.y = b[0], b[1]
	return nil
}

type fragile struct{}

func (*fragile) UnmarshalJSON([]byte) error { panic("fragile") }

type pair[T any] struct{ A, B T }

func newTypes(t testing.TB, values ...any) *wire.Types {
	t.Helper()
	types, err := wire.NewTypes(values...)
	if err != nil {
		t.Fatal(err)
	}
	return types
}

func TestTypesRoundTrip(t *testing.T) {
	types := newTypes(t, order{}, &order{}, point{}, &point{}, pair[string]{}, pair[order]{}, time.Duration(0), time.Time{})
	for _, want := range []any{
		true, false, "", "text", "\xff\x00", []byte{0, 255}, 0, -1, math.MaxInt, math.MinInt, uint(math.MaxUint),
		int8(-8), int16(-16), int32(-32), int64(math.MinInt64), uint8(8), uint16(16), uint32(32), uint64(math.MaxUint64),
		float32(1.5), math.Pi, math.Inf(-1), 'r',
		order{"x", 3}, &order{"y", 4}, point{1, 2}, &point{3, 4}, pair[string]{"a", "b"}, pair[order]{A: order{"z", 1}},
		time.Minute, time.Unix(1, 2).UTC(), &actor.PoisonPill{}, &actor.Stop{},
		wrapperspb.String("proto"), (*wrapperspb.StringValue)(nil),
	} {
		name, payload, err := types.Encode(want)
		if err != nil {
			t.Errorf("%T: %v", want, err)
			continue
		}
		got, err := types.Decode(name, payload)
		if m, ok := want.(proto.Message); ok {
			if g, ok := got.(proto.Message); !ok || !proto.Equal(g, m) && m.ProtoReflect().IsValid() {
				t.Errorf("%s: got %v, %v, want %v", name, got, err, want)
			}
		} else if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %#v, %v, want %#v", name, got, err, want)
		}
	}
	pid := actor.NewPID("host:1", "a/b")
	name, payload, err := types.Encode(pid)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := types.Decode(name, payload); err != nil || !got.(*actor.PID).Equal(pid) {
		t.Errorf("got %v, %v, want %v", got, err, pid)
	}
}

// What is decoded shares no memory with the payload, which is used again.
func TestDecodeCopies(t *testing.T) {
	types := newTypes(t)
	name, payload, _ := types.Encode([]byte("abc"))
	got, err := types.Decode(name, payload)
	if err != nil {
		t.Fatal(err)
	}
	clear(payload)
	if string(got.([]byte)) != "abc" {
		t.Errorf("got %q, want abc", got)
	}
}

func TestTypesOfOneNameStayApart(t *testing.T) {
	type order struct{ Other string }
	types := newTypes(t, pair[order]{}, pair[string]{})
	a, _, _ := types.Encode(pair[order]{})
	b, _, _ := types.Encode(pair[string]{})
	if a == b || !strings.HasPrefix(a, "go:github.com/protocluster/workshop/") {
		t.Errorf("names %q and %q, want two with their package", a, b)
	}
}

func TestNewTypesListsEveryFault(t *testing.T) {
	_, err := wire.NewTypes(nil, struct{}{}, []int{}, order{})
	for _, want := range []string{"got nil", "struct {}", "[]int"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want a fault about %s", err, want)
		}
	}
}

func TestDecodeFaults(t *testing.T) {
	types := newTypes(t, order{}, point{}, fragile{})
	const path = "go:github.com/protocluster/workshop/pkg/protocluster/internal/wire_test."
	for _, row := range []struct {
		name    string
		payload string
		want    error
	}{
		{"", "", wire.ErrUnknownType},
		{"no.such.Message", "", wire.ErrUnknownType},
		{"google.protobuf.NullValue", "", wire.ErrUnknownType},
		{"*" + path + "order", "{}", wire.ErrUnknownType},
		{path + "order", "{", wire.ErrMalformed},
		{path + "point", "123", wire.ErrMalformed},
		{path + "fragile", "{}", wire.ErrMalformed},
		{"int64", "1234567", wire.ErrMalformed},
		{"bool", "", wire.ErrMalformed},
		{"error", "\xff", wire.ErrMalformed},
		{"google.protobuf.StringValue", "\xff", wire.ErrMalformed},
	} {
		if got, err := types.Decode(row.name, []byte(row.payload)); !errors.Is(err, row.want) || got != nil {
			t.Errorf("%s of %q: got %v, %v, want %v", row.name, row.payload, got, err, row.want)
		}
	}
}

// dynamic is a message type that is no struct of its own in Go. It stays registered
// as long as the program runs.
var dynamic = sync.OnceValues(func() (protoreflect.MessageType, error) {
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: new("wire_test.proto"), Package: new("wiretest"), Syntax: new("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: new("Dynamic"), Field: []*descriptorpb.FieldDescriptorProto{{
			Name: new("text"), Number: new(int32(1)), Type: descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum(),
			Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum()}}}}}, nil)
	if err != nil {
		return nil, err
	}
	typ := dynamicpb.NewMessageType(file.Messages().Get(0))
	return typ, protoregistry.GlobalTypes.RegisterMessage(typ)
})

func TestDecode_DynamicType(t *testing.T) {
	typ, err := dynamic()
	if err != nil {
		t.Fatal(err)
	}
	sent := typ.New()
	sent.Set(typ.Descriptor().Fields().Get(0), protoreflect.ValueOfString("hello"))
	types, _ := wire.NewTypes()
	name, payload, err := types.Encode(sent.Interface())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := types.Decode(name, payload); err != nil || !proto.Equal(got.(proto.Message), sent.Interface()) {
		t.Errorf("%s was decoded as %v, %v, want %v", name, got, err, sent)
	}
}

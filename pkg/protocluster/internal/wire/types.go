package wire

import (
	"bytes"
	"encoding"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/remotepb"
)

// maxDepth bounds how deep messages may nest; protobuf's own bound is 10,000.
const maxDepth = 100

// Types knows how messages cross to another node, as remote.Types says: those of
// protobuf under their full names, some as themselves, and those of Go that
// were named in their own binary form or in JSON.
type Types struct {
	byType map[reflect.Type]*goType
	byName map[string]decoder
	protos sync.Map // name to protoreflect.MessageType, of those met so far
}

type decoder func(payload []byte) (any, error)

// goType is a type that WithTypes named.
type goType struct {
	name    string
	marshal func(message any) ([]byte, error)
	decoder
}

// NewTypes returns the Types that also know the types of values, or an error
// that lists each one which cannot be registered.
func NewTypes(values ...any) (*Types, error) {
	t := &Types{byType: map[reflect.Type]*goType{}, byName: map[string]decoder{
		"string": func(p []byte) (any, error) { return string(p), nil },
		"bytes":  func(p []byte) (any, error) { return bytes.Clone(p), nil },
		"bool":   number[bool], "int8": number[int8], "int16": number[int16], "int32": number[int32], "int64": number[int64],
		"uint8": number[uint8], "uint16": number[uint16], "uint32": number[uint32], "uint64": number[uint64],
		"int":     func(p []byte) (any, error) { n, err := decodeNumber[int64](p); return int(n), err },
		"uint":    func(p []byte) (any, error) { n, err := decodeNumber[uint64](p); return uint(n), err },
		"float32": number[float32], "float64": number[float64], "error": decodeError,
		"actor.PoisonPill": func([]byte) (any, error) { return &actor.PoisonPill{}, nil },
		"actor.Stop":       func([]byte) (any, error) { return &actor.Stop{}, nil },
	}}
	var faults []error
	for _, v := range append([]any{&actor.PID{}}, values...) {
		g, err := newGoType(v)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		t.byType[reflect.TypeOf(v)], t.byName[g.name] = g, g.decoder
	}
	return t, errors.Join(faults...)
}

// newGoType describes the type of v under its path, so that types of the same
// name in two packages stay apart.
func newGoType(v any) (*goType, error) {
	rt := reflect.TypeOf(v)
	if rt == nil {
		return nil, errors.New("remote: WithTypes got nil, which has no type; pass a value, such as Order{} or &Order{}")
	}
	elem, star := rt, ""
	if rt.Kind() == reflect.Pointer {
		elem, star = rt.Elem(), "*"
	}
	if elem.Name() == "" || elem.PkgPath() == "" {
		return nil, fmt.Errorf("remote: WithTypes cannot register %v; declare a named type in a package and register that", rt)
	}
	marshal, unmarshal := json.Marshal, json.Unmarshal
	_, in := reflect.TypeAssert[encoding.BinaryUnmarshaler](reflect.New(elem))
	if _, out := v.(encoding.BinaryMarshaler); in && out {
		marshal = func(m any) ([]byte, error) { return m.(encoding.BinaryMarshaler).MarshalBinary() }
		unmarshal = func(p []byte, m any) error { return m.(encoding.BinaryUnmarshaler).UnmarshalBinary(p) }
	}
	decode := func(p []byte) (any, error) {
		m := reflect.New(elem)
		err := unmarshal(p, m.Interface())
		if star == "" {
			m = m.Elem()
		}
		return m.Interface(), err
	}
	return &goType{name: star + "go:" + elem.PkgPath() + "." + elem.Name(), marshal: marshal, decoder: decode}, nil
}

// Encode returns the name of message's type and the message in bytes. The
// error is an ErrUnknownType or ErrMalformed and says what to do.
func (t *Types) Encode(message any) (name string, payload []byte, err error) {
	return t.encode(nil, message)
}

// encode appends to buf.
func (t *Types) encode(buf []byte, message any) (string, []byte, error) {
	m, ok := message.(proto.Message)
	if !ok {
		return t.encodeOther(buf, message)
	}
	buf, err := proto.MarshalOptions{}.MarshalAppend(buf, m)
	if err != nil {
		return "", nil, unencodable(m, err)
	}
	return string(m.ProtoReflect().Descriptor().FullName()), buf, nil
}

func unencodable(message any, err error) error {
	return Fault(ErrMalformed, "encode %T: %v", message, err)
}

// encodeOther encodes what is no message of protobuf.
func (t *Types) encodeOther(buf []byte, message any) (string, []byte, error) {
	switch m := message.(type) {
	case string:
		return "string", append(buf, m...), nil
	case []byte:
		return "bytes", append(buf, m...), nil
	case int:
		return "int", binary.LittleEndian.AppendUint64(buf, uint64(m)), nil
	case uint:
		return "uint", binary.LittleEndian.AppendUint64(buf, uint64(m)), nil
	case bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64:
		buf, err := binary.Append(buf, binary.LittleEndian, m)
		return reflect.TypeOf(m).Name(), buf, err
	case *actor.PoisonPill:
		return "actor.PoisonPill", buf, nil
	case *actor.Stop:
		return "actor.Stop", buf, nil
	}
	if g := t.byType[reflect.TypeOf(message)]; g != nil {
		payload, err := g.marshal(message)
		if err != nil {
			return "", nil, unencodable(message, err)
		}
		return g.name, append(buf, payload...), nil
	}
	if err, ok := message.(error); ok {
		buf, err := proto.MarshalOptions{}.MarshalAppend(buf, PackFailure(err))
		return "error", buf, err
	}
	return "", nil, unknownType(message)
}

func unknownType(message any) error {
	if message == nil {
		return Fault(ErrUnknownType, "nil cannot be sent to another node; send a message")
	}
	fix := fmt.Sprintf("%T{}", message)
	if reflect.TypeOf(message).Kind() == reflect.Pointer {
		fix = "&" + fix[1:]
	}
	return Fault(ErrUnknownType, "type %T is not a protobuf message; register it with remote.WithTypes(%s) on both nodes", message, fix)
}

// Decode returns the message that Encode made name and payload of, and keeps
// nothing of payload. The error is an *Error of class ErrUnknownType or
// ErrMalformed.
func (t *Types) Decode(name string, payload []byte) (any, error) {
	d, err := t.decoder(name)
	if err != nil {
		return nil, err
	}
	return d.decode(name, payload)
}

func (d decoder) decode(name string, payload []byte) (message any, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("decoding panicked: %v", v)
		}
		if err != nil {
			message, err = nil, Fault(ErrMalformed, "decode %s of %d bytes: %v", name, len(payload), err)
		}
	}()
	return d(payload)
}

func (t *Types) decoder(name string) (decoder, error) {
	if d := t.byName[name]; d != nil {
		return d, nil
	}
	found, ok := t.protos.Load(name)
	if !ok {
		m, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(name))
		if err != nil {
			return nil, Fault(ErrUnknownType, "type %.200q is unknown there; import its package, or add it to remote.WithTypes", name)
		}
		found, _ = t.protos.LoadOrStore(name, protoDecoder(m))
	}
	return found.(decoder), nil
}

// protoDecoder decodes messages of one type. Where that is a struct of Go alone,
// as all generated ones are, a new one is made without protobuf's reflection,
// which takes as long as the allocation.
func protoDecoder(m protoreflect.MessageType) decoder {
	fresh := func() proto.Message { return m.New().Interface() }
	if t := reflect.TypeOf(m.Zero().Interface()); t.Kind() == reflect.Pointer {
		t = t.Elem()
		plain := func() proto.Message { return reflect.New(t).Interface().(proto.Message) }
		if plain().ProtoReflect().Descriptor() == m.Descriptor() {
			fresh = plain
		}
	}
	return func(p []byte) (any, error) {
		m := fresh()
		return m, proto.UnmarshalOptions{Merge: true, RecursionLimit: maxDepth}.Unmarshal(p, m) // m is new: nothing to reset
	}
}

func decodeError(p []byte) (any, error) {
	var f remotepb.Failure
	if err := proto.Unmarshal(p, &f); err != nil {
		return nil, err
	}
	return UnpackFailure(&f), nil
}

func number[T any](p []byte) (any, error) { return decodeNumber[T](p) }

func decodeNumber[T any](p []byte) (v T, err error) {
	if binary.Size(v) != len(p) {
		return v, fmt.Errorf("%T has %d bytes", v, binary.Size(v))
	}
	_, err = binary.Decode(p, binary.LittleEndian, &v)
	return v, err
}

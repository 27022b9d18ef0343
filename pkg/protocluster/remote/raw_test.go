package remote_test

import (
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/remotepb"
)

// rawDesc is what this package is measured against: streams of gRPC that carry
// the same messages, and nothing else.
var rawDesc = grpc.ServiceDesc{
	ServiceName: "test.Raw",
	HandlerType: (*any)(nil),
	Streams: []grpc.StreamDesc{
		{StreamName: "Echo", ServerStreams: true, ClientStreams: true, Handler: rawHandler(func(m []byte) ([]byte, error) { return m, nil })},
		{StreamName: "EchoAll", ServerStreams: true, ClientStreams: true, Handler: rawHandler(echoAll)},
		{StreamName: "Count", ServerStreams: true, ClientStreams: true, Handler: count},
	},
}

type rawServer struct{}

// rawHandler is a handler that answers each frame with what f makes of it.
func rawHandler(f func([]byte) ([]byte, error)) grpc.StreamHandler {
	return func(_ any, s grpc.ServerStream) error {
		for {
			var m remotepb.Frame
			err := s.RecvMsg(&m)
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err == nil {
				m.Batch, err = f(m.Batch)
			}
			if err == nil {
				err = s.SendMsg(&m)
			}
			if err != nil {
				return err
			}
		}
	}
}

// openRaw opens a stream of rawDesc to p.
func openRaw(t testing.TB, from *node, p *peer, name string) grpc.ClientStream {
	t.Helper()
	conn, err := from.Dial(p.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	s, err := conn.NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/test.Raw/"+name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// appendEntry appends one message of a batch: whose it is, its length, itself.
func appendEntry(batch []byte, id uint32, m proto.Message) []byte {
	at := len(batch)
	batch, _ = proto.MarshalOptions{}.MarshalAppend(append(batch, make([]byte, 8)...), m)
	binary.LittleEndian.PutUint32(batch[at:], id)
	binary.LittleEndian.PutUint32(batch[at+4:], uint32(len(batch)-at-8))
	return batch
}

// entries calls f with each message of a batch.
func entries(batch []byte, f func(id uint32, m *wrapperspb.BytesValue)) error {
	for len(batch) > 0 {
		id, size, m := binary.LittleEndian.Uint32(batch), binary.LittleEndian.Uint32(batch[4:]), new(wrapperspb.BytesValue)
		if err := proto.Unmarshal(batch[8:8+size], m); err != nil {
			return err
		}
		f(id, m)
		batch = batch[8+size:]
	}
	return nil
}

func echoAll(batch []byte) (echo []byte, err error) {
	err = entries(batch, func(id uint32, m *wrapperspb.BytesValue) { echo = appendEntry(echo, id, m) })
	return echo, err
}

// count answers once for each run of messages that came in order.
func count(_ any, s grpc.ServerStream) error {
	next := uint32(0)
	for {
		var f remotepb.Frame
		if err := s.RecvMsg(&f); err != nil {
			return err
		}
		runs, lost := 0, false
		err := entries(f.Batch, func(_ uint32, m *wrapperspb.BytesValue) {
			lost = lost || number(m) != next
			if next++; next%run == 0 {
				runs++
			}
		})
		if lost {
			err = errors.New("lost or reordered")
		}
		for ; runs > 0 && err == nil; runs-- {
			err = s.SendMsg(&remotepb.Frame{})
		}
		if err != nil {
			return err
		}
	}
}

// rawBatches is a stream over which many callers send at once: what comes while
// one batch is being sent goes into the next.
type rawBatches struct {
	stream grpc.ClientStream
	wake   chan struct{}

	mu      sync.Mutex
	pending []byte
	waiting []chan *wrapperspb.BytesValue // by caller
}

func (s *rawBatches) push(caller uint32, m proto.Message) {
	s.mu.Lock()
	first := len(s.pending) == 0
	s.pending = appendEntry(s.pending, caller, m)
	s.mu.Unlock()
	if first {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// write sends until done is closed.
func (s *rawBatches) write(done <-chan struct{}) error {
	for {
		runtime.Gosched() // as link does
		s.mu.Lock()
		batch := s.pending
		s.pending = nil
		s.mu.Unlock()
		if len(batch) > 0 {
			if err := s.stream.SendMsg(&remotepb.Frame{Batch: batch}); err != nil {
				return err
			}
			continue
		}
		select {
		case <-s.wake:
		case <-done:
			return s.stream.CloseSend()
		}
	}
}

// read hands out replies until the stream ends.
func (s *rawBatches) read() error {
	for {
		var f remotepb.Frame
		if err := s.stream.RecvMsg(&f); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := entries(f.Batch, func(id uint32, m *wrapperspb.BytesValue) { s.waiting[id] <- m }); err != nil {
			return err
		}
	}
}

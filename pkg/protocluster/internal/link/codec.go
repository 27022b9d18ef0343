package link

import (
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"

	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/remotepb"
	"github.com/protocluster/workshop/pkg/protocluster/internal/wire"
)

// codec is gRPC's for protobuf, but that a batch is written into the bytes that
// gRPC sends, and read from those that it received: the same frames, without two
// copies of each at either end.
type codec struct {
	encoding.CodecV2
	buffers *buffers
}

func newCodec(b *buffers) codec { return codec{encoding.GetCodecV2(proto.Name), b} }

// Marshal takes an *outbound, or any message of protobuf.
func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	if o, ok := v.(*outbound); ok {
		frame := mem.BufferSlice{mem.NewBuffer(o.frame, o.pool)}
		if o.payload != nil {
			frame = append(frame, mem.NewBuffer(o.payload, o.pool))
		}
		return frame, nil
	}
	return c.CodecV2.Marshal(v)
}

// outbound is a frame that is encoded already, and who gets its bytes back.
type outbound struct {
	frame   *[]byte
	payload *[]byte // the end of the frame, if it is not in frame
	pool    mem.BufferPool
}

// inbound is a frame that came.
type inbound struct {
	remotepb.Frame
	bytes mem.Buffer // of which Batch is a part; nil if it has bytes of its own
}

// release gives the bytes back for which Batch was good.
func (f *inbound) release() {
	if f.bytes != nil {
		f.bytes.Free()
		f.bytes, f.Batch = nil, nil
	}
}

// Unmarshal takes an *inbound that was released, or any message of protobuf.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	f, ok := v.(*inbound)
	if !ok {
		return c.CodecV2.Unmarshal(data, v)
	}
	buf := data.MaterializeToBuffer(c.buffers)
	if batch, ok := wire.BatchOf(buf.ReadOnlyData()); ok {
		f.Reset()
		f.Batch, f.bytes = batch, buf
		return nil
	}
	buf.Free()
	return c.CodecV2.Unmarshal(data, &f.Frame)
}

package wire

import (
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/remotepb"
)

// ReadSignals reads signals that another node sent, at most BatchCount.
func ReadSignals(raw []byte) ([]*remotepb.Signal, error) {
	if err := bound(raw, BatchCount, 0); err != nil {
		return nil, err
	}
	var all remotepb.Signals
	err := proto.Unmarshal(raw, &all)
	return all.Signals, err
}

// ReadBatch reads a batch that another node sent and trusts nothing in it:
// what it returns has columns of one length, whose sizes add up. The indexes
// are for a Reader to check, message by message.
func ReadBatch(raw []byte) (*remotepb.Batch, error) {
	if err := bound(raw, BatchCount, 9); err != nil {
		return nil, err
	}
	b := new(remotepb.Batch)
	if err := proto.Unmarshal(raw, b); err != nil {
		return nil, err
	}
	n, total := len(b.Type), uint64(0)
	if n > BatchCount || len(b.Target) != n || len(b.Sender) != n || len(b.Size) != n {
		return nil, fmt.Errorf("columns of %d, %d, %d and %d messages; want the same, at most %d",
			n, len(b.Target), len(b.Sender), len(b.Size), BatchCount)
	}
	for _, size := range b.Size {
		total += uint64(size)
	}
	if total != uint64(len(b.Payload)) {
		return nil, fmt.Errorf("messages of %d bytes in a payload of %d", total, len(b.Payload))
	}
	if !slices.IsSortedFunc(b.Meta, func(a, b *remotepb.Meta) int { return int(a.Message) - int(b.Message) }) {
		return nil, errors.New("meta not in the order of the messages")
	}
	return b, nil
}

// bound reads over the fields of an encoded message and fails if one occurs
// more than limit times, so that a few megabytes of tiny ones are refused
// before they become gigabytes of structs. A field called nested is looked
// into likewise.
func bound(raw []byte, limit int, nested protowire.Number) error {
	var seen [16]int
	for len(raw) > 0 {
		number, kind, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return protowire.ParseError(n)
		}
		raw = raw[n:]
		if n = protowire.ConsumeFieldValue(number, kind, raw); n < 0 {
			return protowire.ParseError(n)
		}
		field, count := min(number, 15), 1 // 15 is any that this version does not know
		if number >= 4 && number <= 7 && kind == protowire.BytesType && nested != 0 {
			count += n / 10 // a row of numbers is one field; each takes up to ten bytes
		}
		if seen[field] += count; seen[field] > limit {
			return fmt.Errorf("more than %d of field %d", limit, number)
		}
		if number == nested && kind == protowire.BytesType {
			content, _ := protowire.ConsumeBytes(raw)
			if err := bound(content, headerCount, 0); err != nil {
				return err
			}
		}
		raw = raw[n:]
	}
	return nil
}

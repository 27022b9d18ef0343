package wire

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/remotepb"
)

// ReadSignals reads signals that another node sent, at most BatchCount.
func ReadSignals(raw []byte) ([]*remotepb.Signal, error) {
	if err := bound(raw, BatchCount); err != nil {
		return nil, err
	}
	var all remotepb.Signals
	err := proto.Unmarshal(raw, &all)
	return all.Signals, err
}

// bound reads over the fields of an encoded message and fails if one occurs
// more than limit times, so that a few megabytes of tiny ones are refused
// before they become gigabytes of structs.
func bound(raw []byte, limit int) error {
	var seen [16]int
	for len(raw) > 0 {
		number, _, n := protowire.ConsumeField(raw)
		if n < 0 {
			return protowire.ParseError(n)
		}
		field := min(number, 15) // 15 is any that this version does not know
		if seen[field]++; seen[field] > limit {
			return fmt.Errorf("more than %d of field %d", limit, number)
		}
		raw = raw[n:]
	}
	return nil
}

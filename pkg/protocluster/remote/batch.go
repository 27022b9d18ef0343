package remote

import (
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/remotepb"
)

const (
	batchBytes  = 64 << 10 // a batch is full at this size; a larger message travels alone
	batchCount  = 1000     // messages in a batch
	headerCount = 64       // keys and values in a message's header
	overhead    = 48       // bytes that a message costs beside its content
)

// parcel is a message that is ready for the wire.
type parcel struct {
	typ, target, sender string
	payload             []byte
	future              *actor.Future // of the sender, if it is one
	meta                *actor.Meta
	size                int
}

// check sets p.size and refuses what the receiver would have to refuse.
func (p *parcel) check(limit int) error {
	valid := utf8.ValidString(p.target) && utf8.ValidString(p.sender)
	p.size = overhead + len(p.typ) + len(p.target) + len(p.sender) + len(p.payload)
	if p.meta != nil {
		for k, v := range p.meta.Header {
			p.size += len(k) + len(v) + 8
			valid = valid && utf8.ValidString(k) && utf8.ValidString(v)
		}
		if n := len(p.meta.Header); n > headerCount/2 {
			return fault(ErrTooLarge, "%d headers are more than %d; put them into the message", n, headerCount/2)
		}
	}
	switch {
	case !valid:
		return fault(ErrMalformed, "an id or header is not valid UTF-8, in a %s for %q; escape it", p.typ, p.target)
	case p.size > limit:
		return fault(ErrTooLarge, "a %s of %d bytes exceeds the limit of %d; split it, or raise WithMaxMessageBytes on both nodes",
			p.typ, p.size, limit)
	}
	return nil
}

// batch gathers the messages that a lane sends at once, while the one before is
// on its way.
type batch struct {
	remotepb.Batch
	types, targets, senders names
	asks                    []ask
	deadlines               []time.Time // of Batch.Meta
	bytes                   int
}

// ask is a request in a batch whose sender waits for the reply.
type ask struct {
	future  *actor.Future
	message int
}

func (b *batch) fits(p parcel) bool { return len(b.Type) < batchCount && b.bytes+p.size <= batchBytes }

func (b *batch) add(p parcel) {
	n, sender := len(b.Type), uint32(0)
	if p.sender != "" {
		sender = b.senders.place(&b.Senders, p.sender) + 1
	}
	b.Type = append(b.Type, b.types.place(&b.Types, p.typ)+1)
	b.Target = append(b.Target, b.targets.place(&b.Targets, p.target))
	b.Sender = append(b.Sender, sender)
	b.Size = append(b.Size, uint32(len(p.payload)))
	b.Payload = append(b.Payload, p.payload...)
	b.bytes += p.size
	if p.future != nil {
		b.asks = append(b.asks, ask{p.future, n})
	}
	if p.meta != nil {
		m := &remotepb.Meta{Message: uint32(n)}
		for k, v := range p.meta.Header {
			m.Header = append(m.Header, k, v)
		}
		b.Meta, b.deadlines = append(b.Meta, m), append(b.deadlines, p.meta.Deadline)
	}
}

// seal makes b ready to be written now: requests that nobody waits for any
// more are withdrawn, deadlines become the time that remains.
func (b *batch) seal() {
	b.asks = slices.DeleteFunc(b.asks, func(a ask) bool {
		sent := a.future.MarkSent()
		if !sent {
			b.Type[a.message] = 0
		}
		return !sent
	})
	for i, d := range b.deadlines {
		if !d.IsZero() {
			b.Meta[i].Remaining = uint64(max(1, time.Until(d)))
		}
	}
}

// asker is the id under which the receiver knows a's future.
func (b *batch) asker(a ask) string { return b.Senders[b.Sender[a.message]-1] }

// names finds the place of a name in one column of a batch.
type names struct {
	places map[string]uint32 // from the second name on
	last   uint32            // place asked for most recently: often, the next is the same
}

func (n *names) place(column *[]string, name string) uint32 {
	c := *column
	if len(c) > 0 && c[n.last] == name {
		return n.last
	}
	if len(c) == 1 {
		n.places = map[string]uint32{c[0]: 0}
	}
	place, ok := n.places[name]
	if !ok {
		place = uint32(len(c))
		*column = append(c, name)
		if place > 0 {
			n.places[name] = place
		}
	}
	n.last = place
	return place
}

// decodeBatch reads a batch that another node sent and trusts nothing in it:
// what it returns has columns of one length, whose sizes add up. The indexes
// are for the reader to check, message by message.
func decodeBatch(raw []byte) (*remotepb.Batch, error) {
	if err := bound(raw, batchCount, 9); err != nil {
		return nil, err
	}
	b := new(remotepb.Batch)
	if err := proto.Unmarshal(raw, b); err != nil {
		return nil, err
	}
	n, total := len(b.Type), uint64(0)
	if n > batchCount || len(b.Target) != n || len(b.Sender) != n || len(b.Size) != n {
		return nil, fmt.Errorf("columns of %d, %d, %d and %d messages; want the same, at most %d",
			n, len(b.Target), len(b.Sender), len(b.Size), batchCount)
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

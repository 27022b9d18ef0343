package wire

import (
	"slices"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
)

// Bounds of what travels together.
const (
	BatchBytes = 64 << 10 // a batch is full at this size; a larger message travels alone
	BatchCount = 1000     // messages, or signals, in a frame
	Overhead   = 48       // bytes that each costs beside its content
)

// smallPayload is how many bytes of payload a batch gets first; BatchBytes are
// next, so that none grows, copied, by the power of two.
const smallPayload = 4 << 10

const batchField protowire.Number = 4 // of a Frame

const headerCount = 64 // keys and values in a message's header

// Parcel is a message for an actor of another node.
type Parcel struct {
	Target, Sender string        // ids
	Future         *actor.Future // of the sender, if it is one
	Reply          bool          // to a future, which gets one message
	Meta           *actor.Meta

	typ     string
	payload []byte
	size    int
}

// Pack encodes message into buf, which belongs to p until p was added to a
// batch, and refuses what the receiver would have to refuse.
//
// What most messages have no need of is in other functions, here and in encode: it
// would take 0.6 KiB of the stack of each asker, and the stacks of many do not fit a
// processor's cache. With one reading of the clock a batch, asks of 512 take 0.96
// of the processor time.
func (p *Parcel) Pack(types *Types, buf *[]byte, message any, limit int) (err error) {
	if p.typ, p.payload, err = types.encode((*buf)[:0], message); err != nil {
		return err
	}
	if cap(p.payload) <= BatchBytes {
		*buf = p.payload
	}
	valid := utf8.ValidString(p.Target) && utf8.ValidString(p.Sender)
	p.size = Overhead + len(p.typ) + len(p.Target) + len(p.Sender) + len(p.payload)
	headers := p.headers()
	if headers > 0 {
		valid = p.addHeader() && valid
	}
	if !valid || p.size > limit || headers > headerCount/2 {
		return p.fault(valid, limit)
	}
	return nil
}

// addHeader adds the size of the header, and reports whether it can be sent.
func (p *Parcel) addHeader() (valid bool) {
	valid = true
	for k, v := range p.Meta.Header {
		p.size += len(k) + len(v) + 8
		valid = valid && utf8.ValidString(k) && utf8.ValidString(v)
	}
	return valid
}

func (p *Parcel) headers() int {
	if p.Meta == nil {
		return 0
	}
	return len(p.Meta.Header)
}

// fault is why p cannot be sent.
func (p *Parcel) fault(valid bool, limit int) error {
	switch n := p.headers(); {
	case n > headerCount/2:
		return Fault(ErrTooLarge, "%d headers are more than %d; put them into the message", n, headerCount/2)
	case !valid:
		return Fault(ErrMalformed, "an id or header is not valid UTF-8, in a %s for %q; escape it", p.typ, p.Target)
	}
	return Fault(ErrTooLarge, "a %s of %d bytes exceeds the limit of %d; split it, or raise WithMaxMessageBytes on both nodes",
		p.typ, p.size, limit)
}

// Size is what p, once packed, takes of a batch or a queue, in bytes.
func (p *Parcel) Size() int { return p.size }

// Batch gathers the messages that a lane sends at once, while the one before is
// on its way. The zero Batch is empty and ready to use.
type Batch struct {
	Asks []Ask               // requests whose senders wait
	Lend func(n int) *[]byte // where bytes for a payload come from; nil: nowhere

	content                 columns
	types, targets, senders names
	size                    int
}

// Ask is a request in a batch whose sender waits for the reply.
type Ask struct {
	Future  *actor.Future
	message int
}

// Reset empties b for its next use.
func (b *Batch) Reset() {
	clear(b.Asks)
	b.Asks, b.size = b.Asks[:0], 0
	if cap(b.content.payload) > BatchBytes {
		b.content.payload = nil // of a larger message, which travelled alone
	}
	b.content.reset()
	b.types.reset()
	b.targets.reset()
	b.senders.reset()
}

// Len is the number of parcels in b.
func (b *Batch) Len() int { return len(b.content.typ) }

// Size is the sum of the sizes of the parcels in b.
func (b *Batch) Size() int { return b.size }

// Fits reports whether b has room for p.
func (b *Batch) Fits(p *Parcel) bool {
	return len(b.content.typ) < BatchCount && b.size+p.size <= BatchBytes
}

// Add adds a parcel that was packed.
func (b *Batch) Add(p *Parcel) {
	c := &b.content
	n, sender := len(c.typ), uint32(0)
	if p.Sender != "" {
		sender = b.senders.place(&c.senders, p.Sender) + 1
	}
	c.typ = append(c.typ, b.types.place(&c.types, p.typ)+1)
	c.target = append(c.target, b.targets.place(&c.targets, p.Target))
	c.sender = append(c.sender, sender)
	c.size = append(c.size, uint32(len(p.payload)))
	b.store(p.payload)
	b.size += p.size
	if p.Future != nil {
		b.Asks = append(b.Asks, Ask{p.Future, n})
	}
	if p.Meta != nil {
		m := meta{message: uint32(n), deadline: p.Meta.Deadline}
		for k, v := range p.Meta.Header {
			m.header = append(m.header, k, v)
		}
		c.meta = append(c.meta, m)
	}
}

// store adds a message's bytes to the payload. Those of a large message, which
// nobody else has, become the payload.
func (b *Batch) store(bytes []byte) {
	payload := &b.content.payload
	need := len(*payload) + len(bytes)
	switch {
	case cap(bytes) > BatchBytes && len(*payload) == 0:
		*payload = bytes
		return
	case need <= cap(*payload):
	case need <= smallPayload:
		*payload = slices.Grow(*payload, smallPayload-len(*payload))
	case b.Lend != nil:
		*payload = append((*b.Lend(max(need, BatchBytes)))[:0], *payload...)
	default:
		*payload = slices.Grow(*payload, max(need, BatchBytes)-len(*payload))
	}
	*payload = append(*payload, bytes...)
}

// Asker is the id under which the receiver knows a's future.
func (b *Batch) Asker(a Ask) string { return b.content.senders[b.content.sender[a.message]-1] }

// Seal makes b ready to be written now: requests that nobody waits for any
// more are withdrawn, deadlines become the time that remains.
func (b *Batch) Seal() {
	b.Asks = slices.DeleteFunc(b.Asks, func(a Ask) bool {
		sent := a.Future.MarkSent()
		if !sent {
			b.content.typ[a.message] = 0
		}
		return !sent
	})
	if len(b.content.meta) == 0 {
		return
	}
	now := time.Now()
	for i := range b.content.meta {
		if m := &b.content.meta[i]; !m.deadline.IsZero() {
			m.remaining = uint64(max(1, m.deadline.Sub(now)))
		}
	}
}

// FrameSize is how many bytes AppendFrame appends.
func (b *Batch) FrameSize() int { return 1 + protowire.SizeBytes(b.content.encoded()) }

// AppendFrame appends a Frame of remote.proto that carries b, encoded.
func (b *Batch) AppendFrame(buf []byte) []byte {
	return append(b.AppendHead(buf), b.content.payload...)
}

// AppendHead appends such a frame but for the payload, which is its end.
func (b *Batch) AppendHead(buf []byte) []byte {
	buf = protowire.AppendTag(buf, batchField, protowire.BytesType)
	buf = protowire.AppendVarint(buf, uint64(b.content.encoded()))
	return b.content.append(buf)
}

// PayloadSize is how many bytes the payload has.
func (b *Batch) PayloadSize() int { return len(b.content.payload) }

// Detach takes the payload out of b, which is reset next.
func (b *Batch) Detach() *[]byte {
	payload := b.content.payload
	b.content.payload = nil
	return &payload
}

// BatchOf returns the batch in a frame that carries a batch and nothing else, as
// a part of frame; false for any other frame, which is to be decoded as such.
func BatchOf(frame []byte) (batch []byte, ok bool) {
	field, kind, n := protowire.ConsumeTag(frame)
	if n < 0 || field != batchField || kind != protowire.BytesType {
		return nil, false
	}
	batch, m := protowire.ConsumeBytes(frame[n:])
	return batch, m >= 0 && n+m == len(frame)
}

// Refuse fails the requests in b, which was not sent, with err and returns the
// other messages, without their meta. One that cannot be read is a Bounced.
func (b *Batch) Refuse(types *Types, err error) []Message {
	c := &b.content
	for _, a := range b.Asks {
		a.Future.Fail(err)
		c.typ[a.message] = 0
	}
	var refused []Message
	payload := c.payload
	for i, size := range c.size {
		if c.typ[i] != 0 {
			m := c.message(i)
			if m.Message, err = types.Decode(m.Type, payload[:size]); err != nil {
				m.Message = Bounced{m.Type}
			}
			refused = append(refused, m)
		}
		payload = payload[size:]
	}
	return refused
}

// names finds the place of a name in one column of a batch.
type names struct {
	places map[string]uint32 // from the second name on
	last   uint32            // place asked for most recently: often, the next is the same
}

func (n *names) reset() {
	clear(n.places)
	n.last = 0
}

func (n *names) place(column *[]string, name string) uint32 {
	c := *column
	if len(c) > 0 && c[n.last] == name {
		return n.last
	}
	if len(c) == 1 {
		if n.places == nil {
			n.places = map[string]uint32{}
		}
		n.places[c[0]] = 0
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

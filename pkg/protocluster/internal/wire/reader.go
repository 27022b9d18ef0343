package wire

import (
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/remotepb"
)

const maxRemaining = 365 * 24 * time.Hour // to a deadline that is believed

// Message is one message of a batch.
type Message struct {
	From, To, Type string // ids and a name; "" if the batch names none
	actor.Envelope
}

// messageAt is message i of b, but for what must be decoded.
func messageAt(b *remotepb.Batch, i int) Message {
	return Message{From: at(b.Senders, b.Sender[i]-1), To: at(b.Targets, b.Target[i]), Type: at(b.Types, b.Type[i]-1)}
}

func at(column []string, place uint32) string {
	if place < uint32(len(column)) {
		return column[place]
	}
	return ""
}

// Reader takes the messages out of a batch that ReadBatch returned. What is
// named once in the batch is looked up once.
type Reader struct {
	types    *Types
	address  string // of the senders
	batch    *remotepb.Batch
	message  int    // that is read
	payload  []byte // of that message
	rest     []byte // of the batch's payload
	meta     []*remotepb.Meta
	decoders []decoder    // of batch.Types
	senders  []*actor.PID // of batch.Senders
}

// NewReader returns a Reader of b, which the node at address sent.
func NewReader(types *Types, address string, b *remotepb.Batch) Reader {
	return Reader{types: types, address: address, batch: b, message: -1, rest: b.Payload, meta: b.Meta,
		decoders: make([]decoder, len(b.Types)), senders: make([]*actor.PID, len(b.Senders))}
}

// Next goes on to the next message; false after the last one.
func (r *Reader) Next() bool {
	for r.message+1 < len(r.batch.Size) {
		r.message++
		size := r.batch.Size[r.message]
		r.payload, r.rest = r.rest[:size], r.rest[size:]
		if r.batch.Type[r.message] != 0 { // 0 was withdrawn
			return true
		}
	}
	return false
}

// Message is the message to which Next went, and why it cannot be delivered, if
// so. It is to be asked for once.
func (r *Reader) Message() (m Message, err error) {
	m = messageAt(r.batch, r.message)
	err = r.decode(&m)
	return m, err
}

func (r *Reader) decode(m *Message) (err error) {
	b, i := r.batch, r.message
	typ, target, sender := int(b.Type[i])-1, int(b.Target[i]), int(b.Sender[i])-1
	if typ >= len(b.Types) || target >= len(b.Targets) || sender >= len(b.Senders) || m.To == "" {
		return Fault(ErrMalformed, "type %d, target %d or sender %d of a message names nothing", typ, target, sender)
	}
	if r.decoders[typ] == nil {
		if r.decoders[typ], err = r.types.decoder(m.Type); err != nil {
			return err
		}
	}
	m.Meta = r.metaOf(uint32(i))
	if m.Message, err = r.decoders[typ].decode(m.Type, r.payload); err != nil {
		return err
	}
	if sender >= 0 {
		if r.senders[sender] == nil {
			r.senders[sender] = actor.NewPID(r.address, m.From)
		}
		m.Sender = r.senders[sender]
	}
	return nil
}

// metaOf takes the meta of message i, which must be asked for in order.
func (r *Reader) metaOf(i uint32) *actor.Meta {
	for len(r.meta) > 0 && r.meta[0].Message < i {
		r.meta = r.meta[1:]
	}
	if len(r.meta) == 0 || r.meta[0].Message != i {
		return nil
	}
	m, meta := r.meta[0], new(actor.Meta)
	if m.Remaining > 0 {
		meta.Deadline = time.Now().Add(time.Duration(min(m.Remaining, uint64(maxRemaining))))
	}
	if len(m.Header) > 1 {
		meta.Header = make(map[string]string, len(m.Header)/2)
		for k := 0; k+1 < len(m.Header); k += 2 {
			meta.Header[m.Header[k]] = m.Header[k+1]
		}
	}
	return meta
}

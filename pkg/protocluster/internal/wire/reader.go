package wire

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
)

// runLength is how many messages for one actor are decoded before it gets them:
// enough for one lock and one wake-up to be shared, few enough to stay in the
// cache until it has handled them.
const runLength = 64

const maxRemaining = 365 * 24 * time.Hour // to a deadline that is believed

// Message is one message of a batch.
type Message struct {
	From, To, Type string // ids and a name; "" if the batch names none
	actor.Envelope
}

// message is message i of c, but for what must be decoded.
func (c *columns) message(i int) Message {
	return Message{From: at(c.senders, c.sender[i]-1), To: at(c.targets, c.target[i]), Type: at(c.types, c.typ[i]-1)}
}

func at(column []string, place uint32) string {
	if place < uint32(len(column)) {
		return column[place]
	}
	return ""
}

// Reader takes the messages out of batches that one node sent, one batch after
// the other, and trusts nothing in them. What is named once in a batch is looked
// up once. A Reader is for one goroutine.
type Reader struct {
	types    *Types
	address  string // of the senders
	batch    columns
	decoders []decoder        // of batch.types
	senders  []*actor.PID     // of batch.senders
	run      []actor.Envelope // messages that are decoded
	first    int              // the first of them
	began    time.Time        // from when deadlines of the batch count; zero before the first
	cursor
}

// cursor is how far a batch is read.
type cursor struct {
	message int    // that is read
	payload []byte // of that message
	rest    []byte // of the batch's payload
	meta    []meta // of that message and the rest
}

// Taker is who gets messages: an actor.System.
type Taker interface {
	// ReceiveRun takes all of a run for one actor, or returns false.
	ReceiveRun(id string, run []actor.Envelope) bool
}

// NewReader returns a Reader of batches of the node at address.
func NewReader(types *Types, address string) *Reader { return &Reader{types: types, address: address} }

// Read begins a batch, which is not modified until Next has returned false, or
// the next batch begins. It is refused whole, with an error, if its columns are
// not of one length, or its sizes do not add up. The indexes in it are checked
// message by message.
func (r *Reader) Read(raw []byte) error {
	r.forget()
	err := r.batch.read(raw)
	if err == nil {
		err = r.batch.check()
	}
	if err != nil {
		r.forget()
		return err
	}
	c := &r.batch
	r.rest, r.meta = c.payload, c.meta
	r.decoders = slices.Grow(r.decoders, len(c.types))[:len(c.types)]
	r.senders = slices.Grow(r.senders, len(c.senders))[:len(c.senders)]
	return nil
}

// check says what keeps c, which was read, from being messages.
func (c *columns) check() error {
	n, total := len(c.typ), uint64(0)
	if len(c.target) != n || len(c.sender) != n || len(c.size) != n {
		return fmt.Errorf("columns of %d, %d, %d and %d messages; want the same", n, len(c.target), len(c.sender), len(c.size))
	}
	for _, size := range c.size {
		total += uint64(size)
	}
	if total != uint64(len(c.payload)) {
		return fmt.Errorf("messages of %d bytes in a payload of %d", total, len(c.payload))
	}
	for i := 1; i < len(c.meta); i++ {
		if c.meta[i].message < c.meta[i-1].message {
			return errors.New("meta not in the order of the messages")
		}
	}
	return nil
}

// forget keeps nothing of the batch but empty columns.
func (r *Reader) forget() {
	r.began = time.Time{}
	clear(r.decoders)
	clear(r.senders)
	r.drop()
	r.cursor = cursor{message: -1}
	r.decoders, r.senders = r.decoders[:0], r.senders[:0]
	r.batch.payload = nil
	r.batch.reset()
}

// Len is the number of messages in the batch, with those that were withdrawn.
func (r *Reader) Len() int { return len(r.batch.size) }

// Next goes on to the next message; false after the last one.
func (r *Reader) Next() bool {
	for r.message+1 < len(r.batch.size) {
		r.advance()
		if r.batch.typ[r.message] != 0 { // 0 was withdrawn
			return true
		}
	}
	r.forget()
	return false
}

func (r *Reader) advance() {
	r.message++
	size := r.batch.size[r.message]
	r.payload, r.rest = r.rest[:size], r.rest[size:]
}

// HandRun hands the message to which Next went, and those that follow it to the
// same actor, to t, and reports whether t has taken them. If there is only one,
// or none that can be handed over like that, or t refused, then Message has
// each.
func (r *Reader) HandRun(t Taker) bool {
	if r.decoded() || !r.follows() {
		return false
	}
	begin := r.cursor
	r.drop()
	if r.gather(); len(r.run) == 0 {
		return false
	}
	if !t.ReceiveRun(r.batch.targets[r.batch.target[begin.message]], r.run) {
		r.cursor = begin
		return false
	}
	r.drop()
	return true
}

// decoded reports whether the message to which Next went is one of a run that was
// refused.
func (r *Reader) decoded() bool { return r.message < r.first+len(r.run) }

// drop keeps nothing of the run.
func (r *Reader) drop() {
	clear(r.run)
	r.run, r.first = r.run[:0], 0
}

// gather decodes a run and goes to its last message. What cannot be decoded, or
// panics, ends the run: Message will say why.
func (r *Reader) gather() {
	last := r.cursor
	r.first = last.message
	defer func() {
		_ = recover()
		r.cursor = last
	}()
	for {
		decode, e, err := r.envelope()
		if err == nil {
			e.Message, err = decode(r.payload)
		}
		if err != nil || alone(e.Message) {
			return
		}
		r.run, last = append(r.run, e), r.cursor
		if len(r.run) == runLength || !r.follows() {
			return
		}
		r.advance()
	}
}

// follows reports whether the next message is for the same actor.
func (r *Reader) follows() bool {
	c, next := &r.batch, r.message+1
	return next < len(c.size) && c.typ[next] != 0 && c.target[next] == c.target[r.message]
}

// alone reports whether message is more than a message.
func alone(message any) bool {
	switch message.(type) {
	case *actor.Stop, *actor.PoisonPill:
		return true
	}
	return false
}

// Message is the message to which Next went, and why it cannot be delivered, if
// so. It is to be asked for once.
func (r *Reader) Message() (m Message, err error) {
	m = r.batch.message(r.message)
	if r.decoded() {
		m.Envelope = r.run[r.message-r.first]
		return m, nil
	}
	decode, e, err := r.envelope()
	if err != nil {
		return m, err
	}
	if e.Message, err = decode.decode(m.Type, r.payload); err == nil {
		m.Envelope = e
	}
	return m, err
}

// envelope is what the message to which Next went comes in, and what decodes it.
func (r *Reader) envelope() (decode decoder, e actor.Envelope, err error) {
	b, i := &r.batch, r.message
	typ, target, sender := int(b.typ[i])-1, int(b.target[i]), int(b.sender[i])-1
	if typ >= len(b.types) || target >= len(b.targets) || sender >= len(b.senders) || b.targets[target] == "" {
		return nil, e, Fault(ErrMalformed, "type %d, target %d or sender %d of a message names nothing", typ, target, sender)
	}
	if r.decoders[typ] == nil {
		if r.decoders[typ], err = r.types.decoder(b.types[typ]); err != nil {
			return nil, e, err
		}
	}
	if len(r.meta) > 0 {
		e.Meta = r.metaOf(uint32(i))
	}
	if sender >= 0 {
		if r.senders[sender] == nil {
			r.senders[sender] = actor.NewPID(r.address, b.senders[sender])
		}
		e.Sender = r.senders[sender]
	}
	return r.decoders[typ], e, nil
}

// metaOf takes the meta of message i, which must be asked for in order.
func (r *Reader) metaOf(i uint32) *actor.Meta {
	for len(r.meta) > 0 && r.meta[0].message < i {
		r.meta = r.meta[1:]
	}
	if len(r.meta) == 0 || r.meta[0].message != i {
		return nil
	}
	m, meta := &r.meta[0], new(actor.Meta)
	if m.remaining > 0 {
		if r.began.IsZero() {
			r.began = time.Now()
		}
		meta.Deadline = r.began.Add(time.Duration(min(m.remaining, uint64(maxRemaining))))
	}
	if len(m.header) > 1 {
		meta.Header = make(map[string]string, len(m.header)/2)
		for k := 0; k+1 < len(m.header); k += 2 {
			meta.Header[m.header[k]] = m.header[k+1]
		}
	}
	return meta
}

package wire

import (
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// columns is what remote.proto calls a Batch, which says what they mean. They
// are encoded and decoded here, into slices that are used again and again: the
// generated code takes 2 to 3 times as long for a batch of one message.
type columns struct {
	types, targets, senders   []string
	typ, target, sender, size []uint32
	payload                   []byte
	meta                      []meta
}

// meta is the Meta of remote.proto.
type meta struct {
	message   uint32
	remaining uint64 // set from deadline when the batch is sealed
	header    []string
	deadline  time.Time
}

// The numbers of the fields, in columns and in meta.
const (
	typesField protowire.Number = iota + 1
	targetsField
	sendersField
	typField
	targetField
	senderField
	sizeField
	payloadField
	metaField

	messageField   protowire.Number = 1
	remainingField protowire.Number = 2
	headerField    protowire.Number = 3
)

// reset empties c, which keeps what it has allocated.
func (c *columns) reset() {
	clear(c.types)
	clear(c.targets)
	clear(c.senders)
	clear(c.meta)
	*c = columns{
		types: c.types[:0], targets: c.targets[:0], senders: c.senders[:0],
		typ: c.typ[:0], target: c.target[:0], sender: c.sender[:0], size: c.size[:0],
		payload: c.payload[:0], meta: c.meta[:0],
	}
}

// numbers are the columns of numbers, the first is that of typField.
func (c *columns) numbers() [4]*[]uint32 {
	return [...]*[]uint32{&c.typ, &c.target, &c.sender, &c.size}
}

// names are the columns of names, the first is that of typesField.
func (c *columns) names() [3]*[]string { return [...]*[]string{&c.types, &c.targets, &c.senders} }

// encoded is how long append makes c.
func (c *columns) encoded() int {
	n := 1 + protowire.SizeBytes(len(c.payload))
	for _, column := range c.names() {
		n += encodedStrings(*column)
	}
	for _, column := range c.numbers() {
		n += 1 + protowire.SizeBytes(encodedNumbers(*column))
	}
	for i := range c.meta {
		n += 1 + protowire.SizeBytes(c.meta[i].encoded())
	}
	return n
}

func encodedStrings(column []string) (n int) {
	for _, s := range column {
		n += 1 + protowire.SizeBytes(len(s))
	}
	return n
}

func encodedNumbers(column []uint32) int {
	n := len(column)
	for _, v := range column {
		if v >= 0x80 {
			n += protowire.SizeVarint(uint64(v)) - 1
		}
	}
	return n
}

func (m *meta) encoded() int {
	return 2 + protowire.SizeVarint(uint64(m.message)) + protowire.SizeVarint(m.remaining) + encodedStrings(m.header)
}

// append appends c to buf, encoded, but for the payload, which is to follow.
func (c *columns) append(buf []byte) []byte {
	for i, column := range c.names() {
		buf = appendStrings(buf, typesField+protowire.Number(i), *column)
	}
	for i, column := range c.numbers() {
		buf = protowire.AppendTag(buf, typField+protowire.Number(i), protowire.BytesType)
		buf = protowire.AppendVarint(buf, uint64(encodedNumbers(*column)))
		for _, v := range *column {
			if v < 0x80 {
				buf = append(buf, byte(v))
			} else {
				buf = protowire.AppendVarint(buf, uint64(v))
			}
		}
	}
	for i := range c.meta {
		m := &c.meta[i]
		buf = protowire.AppendTag(buf, metaField, protowire.BytesType)
		buf = protowire.AppendVarint(buf, uint64(m.encoded()))
		buf = protowire.AppendTag(buf, messageField, protowire.VarintType)
		buf = protowire.AppendVarint(buf, uint64(m.message))
		buf = protowire.AppendTag(buf, remainingField, protowire.VarintType)
		buf = protowire.AppendVarint(buf, m.remaining)
		buf = appendStrings(buf, headerField, m.header)
	}
	buf = protowire.AppendTag(buf, payloadField, protowire.BytesType)
	return protowire.AppendVarint(buf, uint64(len(c.payload)))
}

func appendStrings(buf []byte, field protowire.Number, column []string) []byte {
	for _, s := range column {
		buf = protowire.AppendString(protowire.AppendTag(buf, field, protowire.BytesType), s)
	}
	return buf
}

// read decodes raw into c, which was reset, and of which payload then is a part
// of raw. It is an error if there is more of anything than a batch may have, so
// that what is refused has not become much larger before.
func (c *columns) read(raw []byte) error {
	fields := 0
	return fieldsOf(raw, func(field protowire.Number, value uint64, content []byte) (err error) {
		if fields++; fields > 10*BatchCount {
			return tooMany(10 * BatchCount)
		}
		switch {
		case content == nil && field >= typField && field <= sizeField:
			column := c.numbers()[field-typField]
			*column, err = appendNumber(*column, value)
		case content == nil:
		case field <= sendersField:
			column := c.names()[field-typesField]
			*column, err = appendName(*column, content, BatchCount)
		case field <= sizeField:
			column := c.numbers()[field-typField]
			*column, err = appendNumbers(*column, content)
		case field == payloadField:
			c.payload = content
		case field == metaField && len(c.meta) == BatchCount:
			err = tooMany(BatchCount)
		case field == metaField:
			c.meta = append(c.meta, meta{})
			err = c.meta[len(c.meta)-1].read(content)
		}
		return err
	})
}

func (m *meta) read(raw []byte) error {
	return fieldsOf(raw, func(field protowire.Number, value uint64, content []byte) (err error) {
		switch {
		case field == messageField && content == nil:
			m.message = uint32(value)
		case field == remainingField && content == nil:
			m.remaining = value
		case field == headerField && content != nil:
			m.header, err = appendName(m.header, content, headerCount)
		}
		return err
	})
}

// fieldsOf calls f with each field that is a number, or (content is not nil then)
// bytes. It skips others.
func fieldsOf(raw []byte, f func(field protowire.Number, value uint64, content []byte) error) error {
	for len(raw) > 0 {
		field, kind, n := protowire.ConsumeTag(raw)
		switch {
		case n < 0:
			return protowire.ParseError(n)
		case field > protowire.MaxValidNumber:
			return fmt.Errorf("no field has the number %d", field)
		}
		raw = raw[n:]
		var value uint64
		var content []byte
		switch kind {
		case protowire.VarintType:
			value, n = protowire.ConsumeVarint(raw)
		case protowire.BytesType:
			content, n = protowire.ConsumeBytes(raw)
		default:
			if n = protowire.ConsumeFieldValue(field, kind, raw); n >= 0 {
				raw = raw[n:]
				continue
			}
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		if err := f(field, value, content); err != nil {
			return err
		}
		raw = raw[n:]
	}
	return nil
}

func tooMany(most int) error { return fmt.Errorf("more than %d of something", most) }

func appendNumber(column []uint32, v uint64) ([]uint32, error) {
	if len(column) == BatchCount {
		return column, tooMany(BatchCount)
	}
	return append(column, uint32(v)), nil
}

// appendNumbers appends what is packed. Most numbers are of one byte.
func appendNumbers(column []uint32, packed []byte) ([]uint32, error) {
	column = slices.Grow(column, min(len(packed), BatchCount-len(column)))
	for len(packed) > 0 {
		if len(column) == BatchCount {
			return column, tooMany(BatchCount)
		}
		v, n := uint64(packed[0]), 1
		if v >= 0x80 {
			if v, n = protowire.ConsumeVarint(packed); n < 0 {
				return column, protowire.ParseError(n)
			}
		}
		column, packed = append(column, uint32(v)), packed[n:]
	}
	return column, nil
}

func appendName(column []string, name []byte, most int) ([]string, error) {
	switch {
	case len(column) == most:
		return column, tooMany(most)
	case !utf8.Valid(name):
		return column, errors.New("a name that is not valid UTF-8")
	}
	return append(column, string(name)), nil
}

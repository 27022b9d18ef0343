// Package hops counts in a message's header how often it was handed on, so that
// nodes whose views differ do not do so for ever.
package hops

import (
	"errors"
	"maps"
	"strconv"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
)

// Most is how many nodes hand a message on, and how many activations that end
// before they served anything.
const Most = 16

// ErrTooMany is why a message with more than Most hops goes no further.
var ErrTooMany = errors.New("cluster: handed on too often, or each activation ended before it served anything")

const header = "protocluster-hops"

// Of returns the hops of e; 0 if nothing that can be read says how many.
func Of(e actor.Envelope) int {
	if e.Meta == nil {
		return 0
	}
	n, _ := strconv.Atoi(e.Meta.Header[header])
	return n
}

// With returns e with n hops. The Meta of e is not changed.
func With(e actor.Envelope, n int) actor.Envelope {
	if Of(e) == n {
		return e
	}
	meta := actor.Meta{Header: map[string]string{}}
	if e.Meta != nil {
		meta.Deadline = e.Meta.Deadline
		maps.Copy(meta.Header, e.Meta.Header)
	}
	meta.Header[header] = strconv.Itoa(n)
	e.Meta = &meta
	return e
}

// Next returns es with a hop more, or with none after progress, and those that then
// have too many.
func Next(es []actor.Envelope, progress bool) (next, many []actor.Envelope) {
	next = es[:0]
	for _, e := range es {
		n := Of(e) + 1
		if progress {
			n = 0
		}
		if n > Most {
			many = append(many, e)
			continue
		}
		next = append(next, With(e, n))
	}
	return next, many
}

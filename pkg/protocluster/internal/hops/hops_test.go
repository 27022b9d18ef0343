package hops_test

import (
	"maps"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/hops"
)

func TestWith(t *testing.T) {
	deadline := time.Unix(7, 0)
	meta := &actor.Meta{Deadline: deadline, Header: map[string]string{"trace": "t"}}
	for _, e := range []actor.Envelope{{Message: "m"}, {Message: "m", Meta: meta}} {
		if got := hops.Of(e); got != 0 {
			t.Errorf("hops of a new message = %d, want 0", got)
		}
		two := hops.With(hops.With(e, 1), 2)
		if hops.Of(two) != 2 || two.Message != "m" {
			t.Errorf("with two hops: %d of %v", hops.Of(two), two.Message)
		}
		if back := hops.With(two, 0); hops.Of(back) != 0 {
			t.Errorf("hops set back = %d, want 0", hops.Of(back))
		}
		if e.Meta != nil && (!two.Meta.Deadline.Equal(deadline) || two.Meta.Header["trace"] != "t") {
			t.Errorf("with two hops its meta is %+v, and was %+v", two.Meta, e.Meta)
		}
	}
	if !maps.Equal(meta.Header, map[string]string{"trace": "t"}) {
		t.Errorf("the header of the first envelope became %v", meta.Header)
	}
}

func TestWith_TheSameIsFree(t *testing.T) {
	e := hops.With(actor.Envelope{Message: "m"}, 3)
	if n := testing.AllocsPerRun(100, func() { _ = hops.With(e, 3) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func TestNext(t *testing.T) {
	envelopes := func() []actor.Envelope {
		return []actor.Envelope{{Message: "a"}, hops.With(actor.Envelope{Message: "b"}, hops.Most), {Message: "c"}}
	}
	next, many := hops.Next(envelopes(), false)
	if len(next) != 2 || hops.Of(next[0]) != 1 || next[1].Message != "c" || len(many) != 1 || many[0].Message != "b" {
		t.Errorf("next %v, too many %v; want a and c with one hop, and b", next, many)
	}
	if next, many := hops.Next(envelopes(), true); len(next) != 3 || hops.Of(next[1]) != 0 || many != nil {
		t.Errorf("after progress next %v, too many %v; want all, without hops", next, many)
	}
}

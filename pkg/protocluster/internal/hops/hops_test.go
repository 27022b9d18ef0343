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

package actor_test

import (
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
)

func TestPID(t *testing.T) {
	s := newSystem(t)
	a, b := s.NewFuture(0).PID(), s.NewFuture(0).PID()
	var nobody *actor.PID
	rows := []struct {
		p, q  *actor.PID
		equal bool
		text  string
	}{
		{actor.NewPID("h:1", "x"), actor.NewPID("h:1", "x"), true, "h:1/x"},
		{actor.NewPID("h:1", "x"), actor.NewPID("h:1", "y"), false, "h:1/x"},
		{actor.NewPID("h:1", "x"), actor.NewPID("h:2", "x"), false, "h:1/x"},
		{actor.NewPID("", "x"), nobody, false, "/x"},
		{nobody, actor.NewPID("", ""), false, "nobody"},
		{nobody, nobody, true, "nobody"},
		{a, a, true, "local/future"},
		{a, b, false, "local/future"},
	}
	for _, row := range rows {
		if got := row.p.Equal(row.q); got != row.equal {
			t.Errorf("%v.Equal(%v) = %v, want %v", row.p, row.q, got, row.equal)
		}
		if got := row.p.String(); got != row.text {
			t.Errorf("String() = %q, want %q", got, row.text)
		}
	}
	if nobody.IsFuture() || actor.NewPID("", "x").IsFuture() || !a.IsFuture() {
		t.Error("IsFuture is wrong")
	}
}

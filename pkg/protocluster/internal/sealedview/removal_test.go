package sealedview

import (
	"testing"
	"time"
)

func TestRemoval_WaitsForAMajorityAndItsPromises(t *testing.T) {
	p := Defaults()
	v := viewFor(3, Stamp{2, "s2"}, "a", "b", "c", "d", "e")
	answer := func(left time.Duration) Excluded {
		return Excluded{View: v.Stamp, Target: "e", Excluded: true, Remaining: left}
	}
	wrongView, refused := answer(0), answer(0)
	wrongView.View = Stamp{3, "x"}
	refused.Excluded = false
	long := -time.Hour // the view has been sealed for so long

	r := newRemoval(v, "e", 0)
	r.answer(&p, 0, "a", answer(100*time.Millisecond))
	r.answer(&p, 0, "b", answer(300*time.Millisecond))
	r.answer(&p, 0, "c", wrongView)
	r.answer(&p, 0, "d", refused)
	r.answer(&p, 0, "e", answer(0)) // the target itself
	r.answer(&p, 0, "x", answer(0)) // nobody
	if r.settled() || r.due(&p, long) != maxTime {
		t.Errorf("with two of five settled = %t, due at %v", r.settled(), r.due(&p, long))
	}
	r.answer(&p, 0, "c", answer(700*time.Millisecond))
	if want := p.Outlast(700 * time.Millisecond); !r.settled() || r.due(&p, long) != want {
		t.Errorf("with three of five settled = %t, due at %v, want %v", r.settled(), r.due(&p, long), want)
	}
	r.answer(&p, 0, "c", answer(800*time.Millisecond)) // an older answer
	r.answer(&p, 50*time.Millisecond, "d", answer(200*time.Millisecond))
	if want := p.Outlast(300 * time.Millisecond); r.due(&p, long) != want {
		t.Errorf("with four of five due at %v, want %v", r.due(&p, long), want)
	}
}

func TestRemoval_WaitsUntilTheViewWasSealedForALease(t *testing.T) {
	p := Defaults()
	v := viewFor(3, Stamp{2, "s2"}, "a", "b")
	v.Mode = Store
	r := newRemoval(v, "b", 0)
	r.stored(&p, 0, true)
	if got := r.due(&p, maxTime); got != maxTime {
		t.Errorf("in a view that is not known to be sealed it is due at %v", got)
	}
	if got, want := r.due(&p, second), second+p.Outlast(p.Lease); got != want {
		t.Errorf("due at %v, want %v", got, want)
	}
	r.stored(&p, 0, false)
	if r.settled() {
		t.Errorf("settled by an exclusion that the store does not have any more")
	}
}

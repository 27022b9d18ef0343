package sealedview

import "testing"

func TestGrantor_GrantsInItsViewOnly(t *testing.T) {
	p := Defaults()
	var g Grantor
	one, two := Stamp{1, "a"}, Stamp{2, "b"}
	if g.Grant(&p, 0, one, "m") {
		t.Errorf("it grants before it has installed a view")
	}
	g.Install(&p, two)
	g.Install(&p, one) // late
	for _, row := range []struct {
		view Stamp
		want bool
	}{{two, true}, {one, false}, {Stamp{3, "c"}, false}, {Stamp{2, "x"}, false}} {
		if got := g.Grant(&p, 0, row.view, "m"); got != row.want {
			t.Errorf("Grant in %v = %t, want %t", row.view, got, row.want)
		}
	}
}

func TestGrantor_KeepsPromisesOverViews(t *testing.T) {
	p := Defaults()
	var g Grantor
	g.Install(&p, Stamp{1, "a"})
	g.Grant(&p, 0, Stamp{1, "a"}, "m")
	g.Grant(&p, second/2, Stamp{1, "a"}, "m")
	g.Install(&p, Stamp{2, "b"})
	if got := g.Remaining(second, "m"); got != second/2 {
		t.Errorf("Remaining = %v, want 500ms", got)
	}
	if g.Grant(&p, second/4, Stamp{2, "b"}, "m"); g.Remaining(second, "m") != second/2 {
		t.Errorf("a promise shrank to %v", g.Remaining(second, "m"))
	}
	g.Forget(2 * second)
	if len(g.until) != 0 || g.Remaining(second, "m") != 0 {
		t.Errorf("promises that have run out are kept: %v", g.until)
	}
}

func TestGrantor_ExcludesUntilTheNextView(t *testing.T) {
	p := Defaults()
	var g Grantor
	g.Install(&p, Stamp{1, "a"})
	g.Exclude(Stamp{2, "b"}, "m")
	if g.Excludes("m") || !g.Grant(&p, 0, Stamp{1, "a"}, "m") {
		t.Errorf("an exclusion in a view that is not installed counts")
	}
	g.Exclude(Stamp{1, "a"}, "m")
	if !g.Excludes("m") || g.Grant(&p, second, Stamp{1, "a"}, "m") || g.Remaining(0, "m") != second {
		t.Errorf("excluded %t; what remains of the promise is %v, want 1s", g.Excludes("m"), g.Remaining(0, "m"))
	}
	g.Install(&p, Stamp{2, "b"})
	if g.Excludes("m") || !g.Grant(&p, second, Stamp{2, "b"}, "m") {
		t.Errorf("the exclusion has outlived its view")
	}
}

package sealedview

import (
	"slices"
	"testing"
)

func TestView_Grantors(t *testing.T) {
	for _, row := range []struct {
		name    string
		mode    Mode
		members []string
		want    []string
	}{
		{"nobody", Council, nil, nil},
		{"one", Council, []string{"a"}, []string{"a"}},
		{"two and the store", Council, []string{"a", "b"}, []string{"a", "b", StoreGrantor}},
		{"three", Council, []string{"a", "b", "c"}, []string{"a", "b", "c"}},
		{"four have three", Council, []string{"a", "b", "c", "d"}, []string{"a", "b", "c"}},
		{"six have five", Council, []string{"a", "b", "c", "d", "e", "f"}, []string{"a", "b", "c", "d", "e"}},
		{"the store alone", Store, []string{"a", "b", "c"}, []string{StoreGrantor}},
	} {
		t.Run(row.name, func(t *testing.T) {
			v := viewFor(1, Stamp{}, row.members...)
			v.Mode = row.mode
			if got := v.Grantors(); !slices.Equal(got, row.want) {
				t.Errorf("Grantors = %v, want %v", got, row.want)
			}
		})
	}
}

func TestView_FollowsWhatItWasMadeOf(t *testing.T) {
	one := viewFor(1, Stamp{}, "a")
	two := viewFor(2, one.Stamp, "a")
	fork := viewFor(3, one.Stamp, "a")
	fourth := viewFor(4, fork.Stamp, "a")
	forced := viewFor(5, one.Stamp, "a")
	forced.Forced = true
	for _, row := range []struct {
		name string
		v, u *View
		want bool
	}{
		{"the next", two, one, true},
		{"itself", two, two, false},
		{"an older one", one, two, false},
		{"the other of two", fork, two, false},
		{"one that is further on", fourth, one, true},
		{"one further on than the other of two", fourth, two, true},
		{"an override", forced, fourth, true},
	} {
		if got := row.v.follows(row.u); got != row.want {
			t.Errorf("%s: follows = %t, want %t", row.name, got, row.want)
		}
	}
}

func TestView_Next(t *testing.T) {
	v := viewFor(7, Stamp{6, "s6"}, "a", "b", "c")
	v.Excluded, v.Override = []string{"c"}, "x"
	w := v.next(v.without("c"), "b-9", 5)
	if w.Stamp != (Stamp{8, "b-9"}) || w.Nonce != "b-9" || w.Before != v.Stamp || w.Revision != v.Revision+1 ||
		!slices.Equal(w.Previous, v.Grantors()) || w.Excluded != nil || w.Override != "" || len(w.Members) != 2 {
		t.Errorf("next = %+v of %+v", w, v)
	}
	if later := v.next(v.Members, "b-9", 1000); later.Epoch != 1000 {
		t.Errorf("by a later clock the epoch is %d, want 1000", later.Epoch)
	}
	x := v.amended("c-1", func(v *View) { v.Override = "" })
	if x.Stamp != v.Stamp || x.Nonce != "c-1" || x.Revision != v.Revision+1 || x.Override != "" || v.Override != "x" {
		t.Errorf("amended = %+v of %+v", x, v)
	}
	if !x.succeeds(v) || v.succeeds(x) || !w.succeeds(x) || x.succeeds(w) {
		t.Errorf("a store that shows one after the other has lost something, or not")
	}
}

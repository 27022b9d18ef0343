package sealedview

import (
	"slices"
	"testing"
)

// viewFor returns a view of epoch e with the named members, made of before.
func viewFor(e uint64, before Stamp, members ...string) *View {
	v := &View{Cluster: "c", Stamp: Stamp{e, "s" + string(rune('0'+e))}, Mode: Council, Before: before}
	v.Nonce = v.Seal
	for _, id := range members {
		v.Members = append(v.Members, Member{ID: id, Address: id, State: Active})
	}
	return v
}

// owners returns a placement: whom each epoch assigns the identity to.
func owners(byEpoch map[uint64]string) func(*View) string {
	return func(v *View) string { return byEpoch[v.Epoch] }
}

func openGate(t testing.TB, self string, views ...*View) *Gate {
	t.Helper()
	p := Defaults()
	g := newGate(self, &p)
	for _, v := range views {
		g.install(v)
	}
	return g
}

func checkOwing(t testing.TB, g *Gate, owner func(*View) string, want []string, wantMine bool) {
	t.Helper()
	members, mine := g.Owing(owner)
	if !slices.Equal(members, want) || mine != wantMine {
		t.Errorf("Owing = %v, %t, want %v, %t", members, mine, want, wantMine)
	}
	if open := g.Open(owner); open != (wantMine && len(want) == 0) {
		t.Errorf("Open = %t although Owing = %v, %t", open, members, mine)
	}
}

func TestGate_WaitsForAllEarlierOwners(t *testing.T) {
	one := viewFor(1, Stamp{}, "a", "b", "c")
	two := viewFor(2, one.Stamp, "a", "b", "c")
	three := viewFor(3, two.Stamp, "a", "b", "c")
	owner := owners(map[uint64]string{1: "a", 2: "b", 3: "c"})

	g := openGate(t, "c", one, two, three)
	checkOwing(t, g, owner, []string{"a", "b"}, true)
	g.Barrier("b", two.Stamp, false)
	checkOwing(t, g, owner, []string{"a", "b"}, true)
	g.Barrier("b", three.Stamp, false)
	checkOwing(t, g, owner, []string{"a"}, true)
	g.Barrier("a", three.Stamp, false)
	checkOwing(t, g, owner, nil, true)
	checkOwing(t, g, owners(map[uint64]string{3: "a"}), nil, false)
}

func TestGate_NamesAnEarlierOwnerOnce(t *testing.T) {
	one := viewFor(1, Stamp{}, "a", "b")
	two := viewFor(2, one.Stamp, "a", "b")
	three := viewFor(3, two.Stamp, "a", "b")
	g := openGate(t, "b", one, two, three)
	checkOwing(t, g, owners(map[uint64]string{1: "a", 2: "a", 3: "b"}), []string{"a"}, true)
}

func TestGate_DoesNotWaitForWhoIsGone(t *testing.T) {
	one := viewFor(1, Stamp{}, "a", "b")
	two := viewFor(2, one.Stamp, "b")
	g := openGate(t, "b", one, two)
	checkOwing(t, g, owners(map[uint64]string{1: "a", 2: "b"}), nil, true)
}

// A newcomer knows none of the views before its own.
func TestGate_WithoutHistoryWaitsForAllMembers(t *testing.T) {
	v := viewFor(7, Stamp{6, "s6"}, "a", "b", "c")
	owner := owners(map[uint64]string{7: "c"})
	g := openGate(t, "c", v)
	checkOwing(t, g, owner, []string{"a", "b"}, true)
	g.Barrier("a", v.Stamp, true)
	checkOwing(t, g, owner, []string{"b"}, true)
	g.Barrier("b", v.Stamp, false)
	checkOwing(t, g, owner, nil, true)
}

// What the council hands on is as good as the barriers themselves, in the view that
// it is about; of itself a member knows better.
func TestGate_TakesWhatIsHandedOn(t *testing.T) {
	one := viewFor(6, Stamp{5, "s5"}, "a", "b", "c")
	two := viewFor(7, one.Stamp, "a", "b", "c")
	council, g := openGate(t, "a", two), openGate(t, "c", two)
	owner := owners(map[uint64]string{7: "c"})
	council.Barrier("a", two.Stamp, true)
	council.Barrier("b", one.Stamp, true)
	council.Barrier("c", two.Stamp, true)
	if g.relayed(council.gathered()) || council.complete() {
		t.Error("all are said to have let go, and b has not")
	}
	checkOwing(t, g, owner, []string{"b"}, true)
	if g.free("c", two) {
		t.Error("c takes another's word for its own barrier")
	}
	council.Barrier("b", two.Stamp, true)
	if !council.complete() || !g.relayed(council.gathered()) {
		t.Error("all have let go, and it is not known")
	}
	checkOwing(t, g, owner, nil, true)
}

// Bits of members that there are not, and bytes that are missing, are no barriers.
func TestGate_TakesNoMoreThanIsHandedOn(t *testing.T) {
	v := viewFor(7, Stamp{6, "s6"}, "a", "b", "c")
	for _, of := range []string{"", "\xf8", "\x00\xff"} {
		g := openGate(t, "c", v)
		if g.relayed(of) {
			t.Errorf("relayed(%q) says that it is all", of)
		}
		checkOwing(t, g, owners(map[uint64]string{7: "c"}), []string{"a", "b"}, true)
	}
}

//go:build integration

package integration_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/integration/internal/faultnet"
	"github.com/protocluster/workshop/pkg/protocluster/integration/internal/referee"
	"github.com/protocluster/workshop/pkg/protocluster/internal/background"
)

// The referee is worth what it finds. A cluster that promises one activation only
// in the end has two of some identities while it is cut, and they lose writes:
// both have to be seen.
func TestControl_ACutEventualClusterIsFoundOut(t *testing.T) {
	f := launchFleet(t, size{members: 3, clients: 2})
	f.whole()
	identities := names("control", 24)
	f.load(load{Identities: identities, Users: 4, Pause: 20 * time.Millisecond, Timeout: time.Second, Most: 60})
	f.cut(f.sides([]int{0}, []int{1, 2}))
	background.Sleep(t.Context(), 5*time.Second)
	f.cut(nil)
	f.halt()
	verdict := f.referee.Judge()
	t.Logf("%d violations, the first: %v", len(verdict.Violations), verdict.Violations[:min(1, len(verdict.Violations))])
	if !slices.ContainsFunc(verdict.Violations, func(v referee.Violation) bool { return v.Rule == referee.Overlap }) {
		t.Error("the referee found no overlap")
	}
	faults := checkHistory(f.dir, f.referee.History())
	t.Logf("%d histories are not those of a register", len(faults))
	if len(faults) == 0 {
		t.Error("no history was found wanting")
	}
}

// sides are the cuts that leave one client on each side, and members with it.
func (f *fleet) sides(one, other []int) map[*process]cuts {
	by := make(map[*process]cuts)
	add := func(p *process, slots []int, clients ...int) {
		c := make(cuts)
		for _, slot := range slots {
			c[f.address(slot)], c[f.host(11+slot)+fmt.Sprint(":", providerPort)] = faultnet.Both, faultnet.Both
		}
		for _, client := range clients {
			c[f.host(101+client)+fmt.Sprint(":", providerPort)] = faultnet.Both
		}
		by[p] = c
	}
	for _, slot := range one {
		add(f.members[slot], other, 1)
	}
	for _, slot := range other {
		add(f.members[slot], one, 0)
	}
	add(f.clients[0], other, 1)
	add(f.clients[1], one, 0)
	return by
}

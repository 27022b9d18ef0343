package sealedview_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview/sim"
)

// Each rule that is switched off is missed by the simulator: in some seed, of few,
// a promise is broken. Where it takes many seeds, those from first on are known to
// have one; the rest is there for the day on which a seed does something else.
func TestProtections_AreMissed(t *testing.T) {
	rows := []struct {
		rule    string
		mode    sim.Mode
		profile sim.Profile
		first   uint64
	}{
		{rule: "lease wait", profile: sim.Faults, first: 1},
		{rule: "exclusion", profile: sim.Faults, first: 1},
		{rule: "same view", profile: sim.Churn, first: 13},
		{rule: "majority", profile: sim.Faults, first: 1},
		{rule: "lease check", profile: sim.Faults, first: 1},
		{rule: "barriers", profile: sim.Churn, first: 1},
		{rule: "all barriers", profile: sim.Churn, first: 1},
		{rule: "old leases", profile: sim.Churn, first: 1},
		{rule: "sealing", profile: sim.Faults, first: 36},
		{rule: "override wait", profile: sim.Majority, first: 1},
		{rule: "freshness", profile: sim.Majority, first: 45},
		{rule: "override hides", profile: sim.Majority, first: 63},
		{rule: "settling", profile: sim.Backup, first: 6},
		{rule: "from sending", profile: sim.Faults, first: 1},
		// A lease of this view ends with the promises made in it, one of an
		// older view when this one has been sealed for the time of a lease:
		// so that promises outlive their view is a second line of defence.
		// The referee asks for it by itself.
		{rule: "kept promises", profile: sim.Faults, first: 1},
		// What a member without a lease writes back can never be sealed, if
		// others have gone on; but they and it go on overwriting each other.
		{rule: "leased restore", mode: sim.Liveness, profile: sim.Backup, first: 120},
		{rule: "same intent", profile: sim.Majority, first: 1},
		// "no forks" takes more than a store that goes back, and a member
		// that missed all: TestFork_OnlyOneOfTwoViewsIsSealed leads there.
	}
	rules := sealedview.Protections()
	tested := []string{"no forks"}
	for _, row := range rows {
		tested = append(tested, row.rule)
		t.Run(row.rule, func(t *testing.T) {
			t.Parallel()
			c := sim.Config{Mode: sim.Safety, Profile: row.profile, Adjust: rules[row.rule]}
			if row.mode != "" {
				c.Mode = row.mode
			}
			for c.Seed = row.first; c.Seed < row.first+100; c.Seed++ {
				if r := sim.Run(c); r.Fault != "" {
					t.Logf("after %d seeds: %s", c.Seed-row.first+1, r.Fault)
					return
				}
			}
			t.Errorf("without it %d seeds from %d on keep the promises", c.Seed-row.first, row.first)
		})
	}
	if missing := slices.DeleteFunc(slices.Sorted(maps.Keys(rules)), func(rule string) bool { return slices.Contains(tested, rule) }); len(missing) > 0 {
		t.Errorf("nothing shows what the rules %q are for", missing)
	}
}

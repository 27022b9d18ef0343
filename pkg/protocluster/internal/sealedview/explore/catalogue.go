package main

import "github.com/protocluster/workshop/pkg/protocluster/internal/sealedview/model"

// entry is a configuration that is explored.
type entry struct {
	config model.Config
	short  bool // also by -short
}

// catalogue is what -all explores: with any number of changes where that is
// finite and small, with few changes of any kind, and with the changes that are
// needed to see what each rule is for. Two rankings that differ only in nodes
// that begin alike are one.
func catalogue() []entry {
	var list []entry
	short := func(c model.Config) { list = append(list, entry{c, true}) }
	long := func(c model.Config) { list = append(list, entry{c, false}) }
	overridden := func(c model.Config) model.Config {
		c.Horizon, c.Override, c.Cancel = 2, true, true
		return c
	}

	// Any number of changes.
	short(model.Config{Nodes: 2})
	short(model.Config{Nodes: 2, Store: model.StoreNever})
	short(model.Config{Nodes: 2, Variant: model.GrantsOutliveViews})
	long(overridden(model.Config{Nodes: 2}))
	long(overridden(model.Config{Nodes: 2, Variant: model.OverrideCloses}))
	long(model.Config{Nodes: 2, Leaving: true})
	short(model.Config{Nodes: 3, Store: model.StoreOnly})
	long(model.Config{Nodes: 3, Store: model.StoreOnly, Window: 4, Leaving: true})
	long(model.Config{Nodes: 3, Window: 2})

	// One or two of any kind.
	short(model.Config{Nodes: 3, Changes: 1, Lease: 3})
	short(overridden(model.Config{Nodes: 2, Changes: 2}))
	short(model.Config{Nodes: 3, Changes: 2})
	long(overridden(model.Config{Nodes: 3, Changes: 2}))
	for _, ranking := range []string{"012", "021", "201"} {
		c := model.Config{Nodes: 3, Initial: 2, Changes: 2, Ranking: ranking}
		list = append(list, entry{c, ranking == "012"})
	}
	long(overridden(model.Config{Nodes: 3, Initial: 2, Changes: 2}))
	short(model.Config{Nodes: 3, Changes: 1, Batch: 2, FullHistory: true})
	long(model.Config{Nodes: 3, Changes: 2, Batch: 2, FullHistory: true})

	// Joins back to back, swaps, leaves, four nodes.
	short(model.Config{Nodes: 4, Initial: 3, Plan: "+3,-0", Ranking: "3012"})
	short(model.Config{Nodes: 4, Initial: 3, Plan: "-1+3,-0"})
	short(model.Config{Nodes: 4, Initial: 2, Plan: "+2,-1+3", Ranking: "3201"})
	short(model.Config{Nodes: 4, Plan: "-0,-1"})
	short(overridden(model.Config{Nodes: 4, Initial: 3, Plan: "!23,-2", Ranking: "3021"}))
	short(model.Config{Nodes: 3, Initial: 2, Plan: "+2,-1~2", Ranking: "201", Leaving: true})
	short(model.Config{Nodes: 3, Plan: "~0,-0", Leaving: true})
	short(model.Config{Nodes: 3, Plan: "~0,-0,-1", Leaving: true, Variant: model.LeavingDoNotVote})
	long(model.Config{Nodes: 3, Initial: 1, Plan: "+1,+2,-0", Ranking: "210"})
	long(model.Config{Nodes: 3, Initial: 2, Plan: "+2,~1,-0", Ranking: "201", Leaving: true})
	long(model.Config{Nodes: 4, Initial: 2, Plan: "+2,+3,-0", Ranking: "3201"})
	return list
}

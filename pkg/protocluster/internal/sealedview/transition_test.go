package sealedview_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview/model"
)

// twinConfigs are what twins go by.
func twinConfigs() []model.Config {
	return []model.Config{
		{Nodes: 3, Changes: 6, Leaving: true},
		{Nodes: 4, Initial: 2, Changes: 6, Leaving: true, Ranking: "3201", Lease: 3},
		{Nodes: 4, Initial: 1, Changes: 6, Leaving: true, Ranking: "2103", Batch: 2},
		{Nodes: 3, Initial: 2, Changes: 6, Store: model.StoreOnly, Leaving: true, Ranking: "201"},
		{Nodes: 4, Initial: 3, Changes: 6, Horizon: 4, Override: true, Cancel: true, Ranking: "3021"},
	}
}

// steps are all that can be tried, by kind.
func steps() [][]model.Step {
	byKind := make([][]model.Step, model.Force+1)
	add := func(s model.Step) { byKind[s.Kind] = append(byKind[s.Kind], s) }
	add(model.Step{Kind: model.Tick})
	add(model.Step{Kind: model.Intend})
	add(model.Step{Kind: model.Cancel})
	for i := range uint8(model.Nodes) {
		add(model.Step{Kind: model.Release, Node: i})
		add(model.Step{Kind: model.Activate, Node: i})
		for behind := range uint8(3) {
			add(model.Step{Kind: model.Install, Node: i, Behind: behind})
		}
		for c := range uint8(model.Store + 1) {
			add(model.Step{Kind: model.Renew, Node: i, Peer: c})
			add(model.Step{Kind: model.Exclude, Node: i, Peer: c})
		}
		add(model.Step{Kind: model.Change, Remove: 1 << i})
		add(model.Step{Kind: model.Change, Join: 1 << i})
		add(model.Step{Kind: model.Change, Leave: 1 << i})
		add(model.Step{Kind: model.Change, Remove: 1 << i, Join: 1 << (i + 1) & 15})
	}
	for survivors := range model.Set(1 << model.Nodes) {
		add(model.Step{Kind: model.Force, Join: survivors})
	}
	return byKind
}

// walk takes random steps: those that are enabled, and now and then any, which may
// be refused.
func (w *twin) walk(rng *rand.Rand, all [][]model.Step, length int) (served, removed int) {
	for range length {
		step := choose(w, all, rng)
		if r := lowest(step.Remove); step.Kind == model.Change && w.m.MayRemove(&w.s, r) && w.mayRemove(r) {
			removed++
		}
		w.take(step)
		if w.m.Serving(&w.s) != 0 {
			served++
		}
		if w.fault != "" {
			break
		}
	}
	return served, removed
}

func TestTwin_WalksWithTheModel(t *testing.T) {
	walks := 60
	if testing.Short() {
		walks = 6
	}
	all := steps()
	for _, config := range twinConfigs() {
		t.Run(config.String(), func(t *testing.T) {
			t.Parallel()
			var served, removed, refused int
			for seed := range walks {
				w := newTwin(t, config)
				s, r := w.walk(rand.New(rand.NewPCG(uint64(seed), 1)), all, 400)
				if w.fault != "" {
					t.Fatalf("walk %d: %s", seed, w.fault)
				}
				served, removed, refused = served+s, removed+r, refused+w.refused
			}
			t.Logf("in %d states somebody serves, %d are taken out, %d steps are refused", served, removed, refused)
			if served == 0 || refused == 0 || removed == 0 {
				t.Errorf("in %d states somebody serves, %d are taken out, %d steps are refused: too little happens", served, removed, refused)
			}
		})
	}
}

// The comparison is worth what it notices: rules that are switched off.
func TestTwin_MissesRules(t *testing.T) {
	all, rules := steps(), sealedview.Protections()
	for _, rule := range []string{
		"lease wait", "exclusion", "same view", "majority", "barriers", "all barriers", "old leases", "sealing", "freshness",
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(40) {
				for _, config := range twinConfigs() {
					w := newTwin(t, config, rules[rule])
					if w.walk(rand.New(rand.NewPCG(seed, 2)), all, 400); w.fault != "" {
						t.Logf("walk %d with %v: %s", seed, config, w.fault)
						return
					}
				}
			}
			t.Errorf("without the rule they go the same ways")
		})
	}
}

func lowest(s model.Set) int {
	for i := range model.Nodes {
		if s.Has(i) {
			return i
		}
	}
	return model.Nodes
}

func choose(w *twin, all [][]model.Step, rng *rand.Rand) model.Step {
	if rng.IntN(10) == 0 {
		kind := all[rng.IntN(len(all))]
		return kind[rng.IntN(len(kind))]
	}
	// A change is rare beside what leases and removals take.
	weights := [model.Force + 1]int{
		model.Tick: 3, model.Renew: 12, model.Install: 6, model.Release: 3, model.Activate: 3, model.Exclude: 6,
		model.Change: 1, model.Intend: 1, model.Cancel: 1, model.Force: 1,
	}
	var kinds [][]model.Step
	for k, kind := range all {
		var enabled []model.Step
		for _, step := range kind {
			if w.m.Enabled(&w.s, step) {
				enabled = append(enabled, step)
			}
		}
		if len(enabled) > 0 {
			kinds = append(kinds, slices.Repeat([][]model.Step{enabled}, weights[k])...)
		}
	}
	kind := kinds[rng.IntN(len(kinds))]
	return kind[rng.IntN(len(kind))]
}

// FuzzViewTransition has the input choose the steps.
func FuzzViewTransition(f *testing.F) {
	f.Add(uint8(0), []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Add(uint8(1), []byte{50, 60, 70, 80, 90, 100, 110, 0, 0, 0, 120, 130})
	f.Add(uint8(4), []byte{1, 0, 0, 0, 0, 140, 20, 21, 22, 23, 2, 1})
	var all []model.Step
	for _, kind := range steps() {
		all = append(all, kind...)
	}
	f.Fuzz(func(t *testing.T, config uint8, choices []byte) {
		configs := twinConfigs()
		w := newTwin(t, configs[int(config)%len(configs)])
		for _, c := range choices {
			if w.take(all[int(c)%len(all)]); w.fault != "" {
				t.Fatal(w.fault)
			}
		}
	})
}

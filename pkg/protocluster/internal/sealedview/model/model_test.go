package model_test

import (
	"strings"
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview/model"
)

func newModel(t testing.TB, c model.Config) *model.Model {
	t.Helper()
	m, err := model.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestNew_ReportsAllFaults(t *testing.T) {
	_, err := model.New(model.Config{Nodes: 5, Lease: 8, Ranking: "001", Override: true, Plan: "+9"})
	for _, want := range []string{"Nodes is 5", "Lease is 8", `"001"`, "Override needs a Horizon", `"+9"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New = %v, want it to name %s", err, want)
		}
	}
	for _, plan := range []string{"-", "0", ",", "-0,", "+1+", "?1", "0-1"} {
		if _, err := model.New(model.Config{Plan: plan}); err == nil {
			t.Errorf("plan %q is accepted", plan)
		}
	}
	if _, err := model.New(model.Config{Nodes: 4, Plan: "-0+3,~1,!12"}); err != nil {
		t.Errorf("a plan of all changes: %v", err)
	}
}

func TestGrantors(t *testing.T) {
	const store = 1 << model.Store
	rows := []struct {
		name   string
		config model.Config
		view   model.View // members in the low digit, leaving in the high one
		want   model.Set
	}{
		{"one", model.Config{Nodes: 4}, 0x1, 0b1},
		{"two", model.Config{Nodes: 4}, 0x5, 0b101 | store},
		{"two without the store", model.Config{Nodes: 4, Store: model.StoreNever}, 0x5, 0b101},
		{"three", model.Config{Nodes: 4}, 0xe, 0b1110},
		{"four", model.Config{Nodes: 4}, 0xf, 0b0111},
		{"nobody", model.Config{Nodes: 4}, 0x0, 0},
		{"store mode", model.Config{Nodes: 4, Store: model.StoreOnly}, 0xf, store},
		{"a leaving member votes", model.Config{Nodes: 4}, 0x17, 0b0111},
		{"unless it does not", model.Config{Nodes: 4, Variant: model.LeavingDoNotVote}, 0x17, 0b0110 | store},
		{"all are leaving", model.Config{Nodes: 4, Variant: model.LeavingDoNotVote}, 0x77, 0b0111},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if got := newModel(t, row.config).Grantors(row.view); got != row.want {
				t.Errorf("Grantors(%02x) = %05b, want %05b", row.view, got, row.want)
			}
		})
	}
}

func TestOwner_IsTheFirstActiveMember(t *testing.T) {
	m := newModel(t, model.Config{Nodes: 4, Ranking: "2031"})
	for view, want := range map[model.View]int{0xf: 2, 0xb: 0, 0xa: 3, 0x2: 1, 0x4f: 0, 0x55: -1, 0: -1} {
		if got := m.Owner(view); got != want {
			t.Errorf("Owner(%02x) = %d, want %d", view, got, want)
		}
	}
}

func TestMutations_HaveNamesAndSayWhatTheyRemove(t *testing.T) {
	names := map[string]bool{}
	for m := range model.Mutations() {
		if m.String() == "" || m.Removes() == "" || names[m.String()] {
			t.Errorf("mutation %d is called %q and removes %q", m, m, m.Removes())
		}
		names[m.String()] = true
	}
	if len(names) < 37 {
		t.Errorf("%d mutations, want 37", len(names))
	}
}

func TestConfig_String(t *testing.T) {
	c := newModel(t, model.Config{Nodes: 4, Initial: 3, Plan: "+3", Lease: 3, Horizon: 4, Override: true, Ranking: "3012"}).Config()
	const want = "4 nodes, 3 initial, plan +3, L=3, T=4, override, rank 3012"
	if c.String() != want {
		t.Errorf("String = %q, want %q", c, want)
	}
}

// The speed of a search is that of Expand, mostly.
func BenchmarkExpand(b *testing.B) {
	m := newModel(b, model.Config{Nodes: 3, Changes: 2})
	var states []model.State
	collect := m.Expander(func(_ model.Step, s *model.State) { states = append(states, *s) })
	states = append(states, m.Start())
	for i := 0; len(states) < 1<<16; i++ {
		s := states[i]
		collect.Expand(&s)
	}
	var steps int
	x := m.Expander(func(model.Step, *model.State) { steps++ })
	i := 0
	for b.Loop() {
		x.Expand(&states[i&(1<<16-1)])
		i++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "states/s")
	b.ReportMetric(float64(steps)/b.Elapsed().Seconds(), "steps/s")
}

func BenchmarkHash(b *testing.B) {
	s := newModel(b, model.Config{}).Initial()
	var sum uint64
	for b.Loop() {
		sum += s.Hash(sum)
	}
}

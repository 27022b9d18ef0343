package bench_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/protocluster/workshop/benchmarks/internal/bench"
)

func TestArchive(t *testing.T) {
	file := filepath.Join(t.TempDir(), "results.json")
	of := func(name string, v float64, err error) bench.Result {
		return bench.Result{Workload: bench.Workload{Name: name, Metrics: []bench.Metric{{Unit: "B", Goals: []bench.Goal{{Factor: 1}}}}},
			Scores: []bench.Score{{Name: "x", Samples: []bench.Sample{{v}}, Err: err}}}
	}
	names := []string{"a", "b"}
	if _, err := bench.Archive(file, []bench.Result{of("b", 1, errors.New("lost")), of("a", 2, nil)}, names); err != nil {
		t.Fatal(err)
	}
	all, err := bench.Archive(file, []bench.Result{of("b", 3, nil)}, names)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 || all[0].Workload.Name != "a" || all[1].Workload.Name != "b" {
		t.Fatalf("results = %+v, want a and b", all)
	}
	if a, b := all[0].Scores[0].Median(0), all[1].Scores[0].Median(0); a != 2 || b != 3 || all[1].Err() != nil {
		t.Errorf("medians = %v and %v, want 2 as it was kept and 3 as it was replaced", a, b)
	}
	if len(all[0].Verdicts(0)) != 1 {
		t.Error("the goal was not kept")
	}
}

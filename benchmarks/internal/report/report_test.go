package report_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/protocluster/workshop/benchmarks/internal/bench"
	"github.com/protocluster/workshop/benchmarks/internal/report"
)

func TestValue(t *testing.T) {
	for _, row := range []struct {
		v          float64
		unit, want string
	}{
		{7_724_000, "/s", "7.72 M/s"}, {240_000, "/s", "240 k/s"}, {999, "/s", "999 /s"},
		{4030, "ns", "4.03 µs"}, {1.17e9, "ns", "1.17 s"}, {3e12, "ns", "3,000 s"},
		{675, "B", "675 B"}, {2048, "B", "2.00 KiB"}, {0, "", "0.00"}, {1234567, "", "1,234,567"}, {-1234, "", "-1,234"}, {9.996, "", "10.0"},
	} {
		if got := report.Value(row.v, row.unit); got != row.want {
			t.Errorf("Value(%v, %q) = %q, want %q", row.v, row.unit, got, row.want)
		}
	}
}

func TestRows(t *testing.T) {
	of := func(name string, v float64) bench.Score {
		return bench.Score{Name: name, Samples: []bench.Sample{{v, v}}}
	}
	result := bench.Result{
		Workload: bench.Workload{Title: "tell", Metrics: []bench.Metric{
			{Unit: "/s", Goals: []bench.Goal{{Than: bench.ProtoActor, Factor: 2}, {Than: "channel", Factor: 0.9}}},
			{Name: "bytes", Unit: "B", LessBetter: true, Goals: []bench.Goal{{Factor: 500}}},
		}},
		Scores: []bench.Score{of(bench.Protocluster, 400), of(bench.ProtoActor, 200), of("channel", 500), {Name: "pool", Err: errors.New("lost one")}},
	}
	want := []report.Row{
		{"tell", "400 /s", "200 /s", "2.00 ×", "channel 500 /s (0.80 ×), pool no result (–)", "✓ ≥ 2 × protoactor-go, ✗ ≥ 0.9 × channel"},
		{"tell, bytes", "400 B", "200 B", "2.00 ×", "channel 500 B (0.80 ×), pool no result (–)", "✓ ≤ 500 B"},
	}
	got := report.Rows([]bench.Result{result})
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("rows = %q, want %q", got, want)
	}
	var text strings.Builder
	if err := report.Text(&text, got); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(text.String()), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[1], "tell         400 /s        200 /s") {
		t.Errorf("text = %q, want three lines in columns", lines)
	}
}

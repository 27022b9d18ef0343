package report_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/protocluster/workshop/benchmarks/internal/bench"
	"github.com/protocluster/workshop/benchmarks/internal/growth"
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

func TestMeasured_Write(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.md")
	text := "# Mine\n\n" + report.Begin + "\nold\n" + report.End + "\n\n## Mine too\n"
	if err := os.WriteFile(page, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	result := bench.Result{
		Workload: bench.Workload{Title: "tell", Metrics: []bench.Metric{{Unit: "/s"}}},
		Scores: []bench.Score{{Name: bench.Protocluster, Samples: []bench.Sample{{300}, {100}, {200}}},
			{Name: bench.ProtoActor, Err: errors.New("lost | one\nand more")}},
	}
	m := report.Measured{Results: []bench.Result{result}, Picture: "page.svg", Rounds: 3, Date: time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC),
		Machine: "a machine", Versions: []string{"go1", "peer v2"},
		Curves: []growth.Curve{{With: "members", What: "bytes", Unit: "B", Contender: "a", Sizes: []float64{3, 100}, Costs: []float64{9, 900}, Exponent: 1.25}}}
	for range 2 { // it finds its place again
		if err := m.Write(page); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"# Mine\n", "## Mine too\n", "Measured on 4 May 2026, in 3 rounds, on a machine; with go1, peer v2.",
		"| tell | 200 /s | no result | – |  |  |", "| bytes | members | a | 9.00 B at 3 | 900 B at 100 | 1.25 |", "](page.svg)",
		"| tell | protocluster | 200 /s | 100 /s | 300 /s |", "| tell | protoactor-go | no result: lost / one |  |  |"} {
		if strings.Count(string(got), want) != 1 {
			t.Errorf("the page has %d times %q, want it once:\n%s", strings.Count(string(got), want), want, got)
		}
	}
	if strings.Contains(string(got), "old") {
		t.Error("the page still has what was there before")
	}
}

func TestMeasured_WriteNeedsItsPlace(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(page, []byte("# Mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (report.Measured{}).Write(page); err == nil {
		t.Error("a page without a place was written")
	}
}

package growth_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/protocluster/workshop/benchmarks/internal/bench"
	"github.com/protocluster/workshop/benchmarks/internal/growth"
)

// result is that of one contender at a size: a cost that grows with its square,
// and a rate that falls with its root.
func result(size float64) bench.Result {
	return bench.Result{
		Workload: bench.Workload{Growth: bench.Growth{Of: "members", Size: int(size)},
			Metrics: []bench.Metric{{Name: "bytes", Unit: "B", LessBetter: true}, {Name: "joins", Unit: "/s"}}},
		Scores: []bench.Score{{Name: "a", Samples: []bench.Sample{{3 * size * size, 1e6 / math.Sqrt(size)}}}},
	}
}

func TestCurves(t *testing.T) {
	other := bench.Result{Workload: bench.Workload{Metrics: []bench.Metric{{}}}, Scores: []bench.Score{{Name: "a", Samples: []bench.Sample{{1}}}}}
	curves := growth.Curves([]bench.Result{other, result(3), result(10), result(100)})
	if len(curves) != 2 {
		t.Fatalf("curves = %+v, want two", curves)
	}
	for i, want := range []growth.Curve{
		{With: "members", What: "bytes", Unit: "B", Contender: "a", Sizes: []float64{3, 10, 100}, Exponent: 2},
		{With: "members", What: "time of one of the joins", Unit: "ns", Contender: "a", Sizes: []float64{3, 10, 100}, Exponent: 0.5},
	} {
		got := curves[i]
		if got.With != want.With || got.What != want.What || got.Unit != want.Unit || !slices.Equal(got.Sizes, want.Sizes) ||
			math.Abs(got.Exponent-want.Exponent) > 1e-9 {
			t.Errorf("curve = %+v, want %+v", got, want)
		}
	}
	if got := curves[1].Costs[1]; math.Abs(got-1000*math.Sqrt(10)) > 1e-6 {
		t.Errorf("the time of one join is %v ns, want %v", got, 1000*math.Sqrt(10))
	}
}

func TestPicture(t *testing.T) {
	var svg strings.Builder
	if err := growth.Picture(&svg, growth.Curves([]bench.Result{result(3), result(10), result(100)})); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<svg", "</svg>", "bytes", "members", ">a<", ">100<", ">10 µs<"} {
		if !strings.Contains(svg.String(), want) {
			t.Errorf("the picture has no %q", want)
		}
	}
	if err := growth.Picture(&svg, nil); err == nil {
		t.Error("a picture of nothing has no error")
	}
}

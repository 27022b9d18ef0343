// Package growth says how costs grow: as which power of the number of members,
// of identities, or of the bytes of a message. picture.go draws it.
package growth

import (
	"cmp"
	"math"
	"slices"

	"github.com/protocluster/workshop/benchmarks/internal/bench"
)

// Curve is one cost of one contender over what it grows with. Two points are
// the least it has.
type Curve struct {
	With      string // "members", "identities", "bytes of a message"
	What      string // the metric's name
	Unit      string // of the costs
	Contender string
	Sizes     []float64 // ascending
	Costs     []float64 // medians, above 0
	Exponent  float64   // of the power of the size that fits best
}

// Curves makes them of all results that are one of several with a Growth. What
// is better when more counts as its inverse, the time of one. Curves that
// belong into one picture follow one another.
func Curves(results []bench.Result) []Curve {
	var curves []Curve
	for _, r := range results {
		if r.Workload.Growth.Of == "" {
			continue
		}
		for _, s := range r.Scores {
			for metric, m := range r.Workload.Metrics {
				if s.Err == nil && len(s.Samples) > 0 {
					curves = put(curves, r.Workload.Growth, m, s.Name, s.Median(metric))
				}
			}
		}
	}
	curves = slices.DeleteFunc(curves, func(c Curve) bool { return len(c.Sizes) < 2 })
	for i := range curves {
		curves[i].Exponent = exponent(curves[i].Sizes, curves[i].Costs)
	}
	return sorted(curves)
}

// put adds a point to the curve that it belongs to.
func put(curves []Curve, g bench.Growth, m bench.Metric, contender string, v float64) []Curve {
	c := Curve{With: g.Of, What: m.Name, Unit: m.Unit, Contender: contender}
	if !m.LessBetter {
		c.Unit, v = "ns", 1e9/v
		c.What = "time of one of the " + m.Name
	}
	if v <= 0 || math.IsInf(v, 0) {
		return curves // a power has no such point
	}
	i := slices.IndexFunc(curves, func(o Curve) bool { return o.With == c.With && o.What == c.What && o.Contender == contender })
	if i < 0 {
		i = len(curves)
		curves = append(curves, c)
	}
	curves[i].Sizes = append(curves[i].Sizes, float64(g.Size))
	curves[i].Costs = append(curves[i].Costs, v)
	return curves
}

// sorted keeps the order in which pictures and contenders came first.
func sorted(curves []Curve) []Curve {
	first := make(map[[2]string]int)
	for i, c := range curves {
		key := [2]string{c.With, c.What}
		if _, ok := first[key]; !ok {
			first[key] = i
		}
	}
	slices.SortStableFunc(curves, func(a, b Curve) int {
		return cmp.Compare(first[[2]string{a.With, a.What}], first[[2]string{b.With, b.What}])
	})
	return curves
}

// exponent is the slope of the least squares through the logarithms.
func exponent(sizes, costs []float64) float64 {
	n := float64(len(sizes))
	var sx, sy, sxx, sxy float64
	for i := range sizes {
		x, y := math.Log(sizes[i]), math.Log(costs[i])
		sx, sy, sxx, sxy = sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	return (n*sxy - sx*sy) / (n*sxx - sx*sx)
}

package bench

import (
	"errors"
	"fmt"
	"slices"
)

// Result is what came of a workload.
type Result struct {
	Workload Workload
	Scores   []Score // in the order of the contenders
}

// Score is what one contender did.
type Score struct {
	Name    string
	Samples []Sample // one a round
	Err     error    // why there is no result, or nil
}

// Err joins the errors of the contenders; nil if each has a result.
func (r Result) Err() error {
	var errs []error
	for _, s := range r.Scores {
		if s.Err != nil {
			errs = append(errs, fmt.Errorf("%s: %s: %w", r.Workload.Name, s.Name, s.Err))
		}
	}
	return errors.Join(errs...)
}

// Score returns that of the contender name; false if it has none.
func (r Result) Score(name string) (Score, bool) {
	i := slices.IndexFunc(r.Scores, func(s Score) bool { return s.Name == name && s.Err == nil })
	if i < 0 {
		return Score{}, false
	}
	return r.Scores[i], true
}

// Median returns that of the metric's values.
func (s Score) Median(metric int) float64 { return Median(s.values(metric)) }

// Range returns the least and the greatest of the metric's values.
func (s Score) Range(metric int) (least, most float64) {
	values := s.values(metric)
	return slices.Min(values), slices.Max(values)
}

func (s Score) values(metric int) []float64 {
	values := make([]float64, len(s.Samples))
	for i, sample := range s.Samples {
		values[i] = sample[metric]
	}
	return values
}

// Ratio returns the median, over the rounds, of s's value divided by that of o
// in the same round.
func (s Score) Ratio(o Score, metric int) float64 {
	ratios := make([]float64, min(len(s.Samples), len(o.Samples)))
	for i := range ratios {
		ratios[i] = s.Samples[i][metric] / o.Samples[i][metric]
	}
	return Median(ratios)
}

// Verdict is whether a goal was reached.
type Verdict struct {
	Goal  Goal
	Value float64 // the ratio, or if the goal is a number, the value
	Met   bool
}

// Verdicts judges the first contender by the metric's goals; those without a
// result are left out.
func (r Result) Verdicts(metric int) []Verdict {
	m := r.Workload.Metrics[metric]
	var verdicts []Verdict
	for _, g := range m.Goals {
		first := r.Scores[0]
		other, ok := r.Score(g.Than)
		if first.Err != nil || !ok && g.Than != "" {
			continue
		}
		v := Verdict{Goal: g}
		if g.Than == "" {
			v.Value = first.Median(metric)
		} else {
			v.Value = first.Ratio(other, metric)
		}
		v.Met = v.Value >= g.Factor
		if m.LessBetter {
			v.Met = v.Value <= g.Factor
		}
		verdicts = append(verdicts, v)
	}
	return verdicts
}

// Median returns the middle of values, which are at least one, or the mean of the two in the middle.
func Median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

package bench_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/protocluster/workshop/benchmarks/internal/bench"
)

// recorder makes contenders that yield 1, 2, 3, … times their factor, and notes
// who ran.
type recorder struct{ log []string }

func (r *recorder) contender(name string, factor float64) bench.Contender {
	return bench.Contender{Name: name, Open: func(context.Context) (*bench.Instance, error) {
		r.log = append(r.log, "open "+name)
		runs := 0.0
		return &bench.Instance{
			Run: func(context.Context) (bench.Sample, error) {
				r.log = append(r.log, name)
				runs++
				return bench.Sample{runs * factor}, nil
			},
			Close: func() error {
				r.log = append(r.log, "close "+name)
				return nil
			},
		}, nil
	}}
}

func TestRun_Interleaves(t *testing.T) {
	var r recorder
	w := bench.Workload{Name: "w", Metrics: []bench.Metric{{}}, Contenders: []bench.Contender{r.contender("a", 10), r.contender("b", 1)}}
	result := bench.Run(t.Context(), w, bench.Options{Rounds: 2})
	if want := []string{"open a", "open b", "a", "b", "a", "b", "a", "b", "close a", "close b"}; !slices.Equal(r.log, want) {
		t.Errorf("order = %q, want %q", r.log, want)
	}
	a, b := result.Scores[0], result.Scores[1]
	if len(a.Samples) != 2 || a.Samples[0][0] != 20 || a.Median(0) != 25 {
		t.Errorf("samples of a = %v, want 20 and 30: the first round warms up", a.Samples)
	}
	if got := a.Ratio(b, 0); got != 10 {
		t.Errorf("ratio = %v, want 10", got)
	}
	if err := result.Err(); err != nil {
		t.Error(err)
	}
}

func TestRun_Slices(t *testing.T) {
	var r recorder
	var progress []string
	w := bench.Workload{Metrics: []bench.Metric{{}}, Slices: 2, Contenders: []bench.Contender{r.contender("a", 1)}}
	o := bench.Options{Rounds: 2, Progress: func(text string) { progress = append(progress, text) }}
	got := bench.Run(t.Context(), w, o).Scores[0].Samples
	if len(got) != 4 || got[0][0] != 2 || got[1][0] != 3 || got[2][0] != 2 {
		t.Errorf("samples = %v, want two slices for each of two rounds, each time after one to warm up", got)
	}
	if want := []string{"open a", "a", "a", "a", "close a", "open a", "a", "a", "a", "close a"}; !slices.Equal(r.log, want) {
		t.Errorf("order = %q, want %q", r.log, want)
	}
	if want := ": round 4 of 4, a"; len(progress) != 6 || progress[5] != want || progress[3] != ": round 0 of 4, a" {
		t.Errorf("progress = %q, want six, the last %q", progress, want)
	}
}

func TestRun_Cold(t *testing.T) {
	var r recorder
	w := bench.Workload{Metrics: []bench.Metric{{}}, Contenders: []bench.Contender{r.contender("a", 1)}}
	result := bench.Run(t.Context(), w, bench.Options{Rounds: 1, Cold: true})
	if want := []string{"open a", "a", "close a"}; !slices.Equal(r.log, want) || result.Scores[0].Median(0) != 1 {
		t.Errorf("order = %q with %v, want %q with the first run", r.log, result.Scores[0].Samples, want)
	}
}

func TestRun_ContenderThatFailsIsOut(t *testing.T) {
	lost := errors.New("lost one")
	var r recorder
	bad := bench.Contender{Name: "bad", Open: func(context.Context) (*bench.Instance, error) {
		return &bench.Instance{Run: func(context.Context) (bench.Sample, error) { return bench.Sample{1}, lost }}, nil
	}}
	short := bench.Contender{Name: "short", Open: func(context.Context) (*bench.Instance, error) {
		return &bench.Instance{Run: func(context.Context) (bench.Sample, error) { return nil, nil }}, nil
	}}
	closed := bench.Contender{Name: "closed", Open: func(context.Context) (*bench.Instance, error) { return nil, errors.ErrUnsupported }}
	w := bench.Workload{Name: "w", Metrics: []bench.Metric{{Goals: []bench.Goal{{Than: "bad"}, {Factor: 1}}}},
		Contenders: []bench.Contender{r.contender("a", 1), bad, short, closed}}
	result := bench.Run(t.Context(), w, bench.Options{Rounds: 3})
	if err := result.Err(); !errors.Is(err, lost) || !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("error = %v, want that of each contender that failed", err)
	}
	for _, name := range []string{"bad", "short", "closed"} {
		if _, ok := result.Score(name); ok {
			t.Errorf("%s has a result", name)
		}
	}
	if a, ok := result.Score("a"); !ok || len(a.Samples) != 3 {
		t.Errorf("a has samples %v, want 3: others must not disturb it", a.Samples)
	}
	if v := result.Verdicts(0); len(v) != 1 || !v[0].Met {
		t.Errorf("verdicts = %+v, want that of the number alone", v)
	}
}

func TestVerdicts(t *testing.T) {
	rows := []struct {
		name         string
		lessBetter   bool
		goal         bench.Goal
		ours, theirs float64
		want         bool
	}{
		{"twice as much", false, bench.Goal{Than: "b", Factor: 2}, 2, 1, true},
		{"not twice as much", false, bench.Goal{Than: "b", Factor: 2}, 1.9, 1, false},
		{"half the time", true, bench.Goal{Than: "b", Factor: 0.5}, 1, 2, true},
		{"more than half", true, bench.Goal{Than: "b", Factor: 0.5}, 1.1, 2, false},
		{"few enough", true, bench.Goal{Factor: 500}, 500, 1, true},
		{"too many", true, bench.Goal{Factor: 500}, 501, 1, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			r := bench.Result{
				Workload: bench.Workload{Metrics: []bench.Metric{{LessBetter: row.lessBetter, Goals: []bench.Goal{row.goal}}}},
				Scores:   []bench.Score{{Name: "a", Samples: []bench.Sample{{row.ours}}}, {Name: "b", Samples: []bench.Sample{{row.theirs}}}},
			}
			if v := r.Verdicts(0); len(v) != 1 || v[0].Met != row.want {
				t.Errorf("verdicts = %+v, want one that is %v", v, row.want)
			}
		})
	}
}

func TestMedian(t *testing.T) {
	for _, row := range []struct {
		values []float64
		want   float64
	}{{[]float64{3}, 3}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 9, 2}, 3}} {
		if got := bench.Median(row.values); got != row.want {
			t.Errorf("Median(%v) = %v, want %v", row.values, got, row.want)
		}
	}
}

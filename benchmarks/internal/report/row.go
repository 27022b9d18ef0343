package report

import (
	"strconv"
	"strings"

	"github.com/protocluster/workshop/benchmarks/internal/bench"
)

// Columns are the headings of the table.
var Columns = []string{"workload", "protocluster", "protoactor-go", "ratio", "beside it", "to reach"}

// Row is a line of the table: a cell for each of Columns.
type Row []string

// Rows returns a row for each metric of each result.
func Rows(results []bench.Result) []Row {
	var rows []Row
	for _, r := range results {
		for metric, m := range r.Workload.Metrics {
			title := r.Workload.Title
			if m.Name != "" {
				title += ", " + m.Name
			}
			ours, theirs, ratio, others := "", "", "", []string(nil)
			for i, s := range r.Scores {
				switch {
				case i == 0:
					ours = cell(s, metric, m.Unit)
				case s.Name == bench.ProtoActor:
					theirs, ratio = cell(s, metric, m.Unit), ratioTo(r, s, metric)
				default:
					others = append(others, strings.TrimSpace(s.Name+" "+cell(s, metric, m.Unit)+" ("+ratioTo(r, s, metric)+")"))
				}
			}
			rows = append(rows, Row{title, ours, theirs, ratio, strings.Join(others, ", "), verdicts(r, metric)})
		}
	}
	return rows
}

func cell(s bench.Score, metric int, unit string) string {
	if s.Err != nil || len(s.Samples) == 0 {
		return "no result"
	}
	return Value(s.Median(metric), unit)
}

func ratioTo(r bench.Result, s bench.Score, metric int) string {
	first := r.Scores[0]
	if first.Err != nil || s.Err != nil || Value(s.Median(metric), r.Workload.Metrics[metric].Unit) == "0.00" {
		return "–"
	}
	return Ratio(first.Ratio(s, metric))
}

// verdicts lists the goals, each with whether it was met.
func verdicts(r bench.Result, metric int) string {
	m := r.Workload.Metrics[metric]
	sign := "≥ "
	if m.LessBetter {
		sign = "≤ "
	}
	var texts []string
	for _, v := range r.Verdicts(metric) {
		mark := "✓ "
		if !v.Met {
			mark = "✗ "
		}
		goal := strconv.FormatFloat(v.Goal.Factor, 'g', -1, 64) + " × " + v.Goal.Than
		if v.Goal.Than == "" {
			goal = Value(v.Goal.Factor, m.Unit)
		}
		texts = append(texts, mark+sign+goal)
	}
	return strings.Join(texts, ", ")
}

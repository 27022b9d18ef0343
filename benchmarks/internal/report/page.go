package report

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/protocluster/workshop/benchmarks/internal/bench"
	"github.com/protocluster/workshop/benchmarks/internal/growth"
)

// Begin and End enclose, in a page, what Page replaces. What else is there was
// written by hand.
const (
	Begin = "<!-- what make bench wrote -->"
	End   = "<!-- the end of it -->"
)

// Measured is what a page shows.
type Measured struct {
	Results  []bench.Result
	Curves   []growth.Curve
	Picture  string // its file, as the page links it
	Rounds   int
	Date     time.Time
	Machine  string
	Versions []string
}

// Write replaces what a page has between Begin and End with what was measured.
func (m Measured) Write(file string) error {
	before, after, err := Around(file)
	if err != nil {
		return err
	}
	return os.WriteFile(file, []byte(before+m.markdown()+after), 0o644)
}

// Around returns what a page has up to the line Begin and from the line End on;
// it fails if there are none.
func Around(file string) (before, after string, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", "", err
	}
	before, rest, began := strings.Cut(string(text), Begin+"\n")
	_, after, ended := strings.Cut(rest, End)
	if !began || !ended {
		return "", "", fmt.Errorf("report: %s has no lines %q and %q", file, Begin, End)
	}
	return before + Begin + "\n", End + after, nil
}

func (m Measured) markdown() string {
	var page strings.Builder
	fmt.Fprintf(&page, "\nMeasured on %s, in %d rounds, on %s; with %s.\n\n",
		m.Date.Format("2 January 2006"), m.Rounds, m.Machine, strings.Join(m.Versions, ", "))
	table(&page, Columns, Rows(m.Results))
	if len(m.Curves) > 0 {
		page.WriteString("\n## How costs grow\n\n")
		fmt.Fprintf(&page, "![Costs over members, identities and bytes of a message](%s)\n\n", m.Picture)
		page.WriteString("The exponent is that of the power which fits best: 0 stays the same, 1 grows as fast, 2 with the square.\n\n")
		table(&page, []string{"cost", "over", "contender", "from", "to", "exponent"}, growthRows(m.Curves))
	}
	page.WriteString("\n## Every figure\n\nThe median of the rounds, and the least and the greatest.\n\n")
	table(&page, []string{"workload", "contender", "median", "least", "greatest"}, figures(m.Results))
	page.WriteString("\n")
	return page.String()
}

func table(page *strings.Builder, columns []string, rows []Row) {
	line := func(cells []string) { page.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	line(columns)
	page.WriteString("|" + strings.Repeat("---|", len(columns)) + "\n")
	for _, row := range rows {
		line(row)
	}
}

func growthRows(curves []growth.Curve) []Row {
	var rows []Row
	for _, c := range curves {
		last := len(c.Sizes) - 1
		at := func(i int) string { return Value(c.Costs[i], c.Unit) + " at " + grouped(strconv.Itoa(int(c.Sizes[i]))) }
		rows = append(rows, Row{c.What, c.With, c.Contender, at(0), at(last), fmt.Sprintf("%.2f", c.Exponent)})
	}
	return rows
}

func figures(results []bench.Result) []Row {
	var rows []Row
	for _, r := range results {
		for _, s := range r.Scores {
			for metric, m := range r.Workload.Metrics {
				title := r.Workload.Title
				if m.Name != "" {
					title += ", " + m.Name
				}
				if s.Err != nil {
					rows = append(rows, Row{title, s.Name, "no result: " + firstLine(s.Err), "", ""})
					continue
				}
				least, most := s.Range(metric)
				rows = append(rows, Row{title, s.Name, Value(s.Median(metric), m.Unit), Value(least, m.Unit), Value(most, m.Unit)})
			}
		}
	}
	return rows
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return strings.ReplaceAll(line, "|", "/")
}

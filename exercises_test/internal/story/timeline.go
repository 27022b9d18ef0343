package story

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	mostColumns = 4
)

type event struct {
	at   time.Duration
	who  string
	what string
}

// all returns the events as they came.
func (s *Story) all() []event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}

// sorted returns the events by time; those of one instant by what they say, so
// that the order in which goroutines happened to run does not show.
func (s *Story) sorted() []event {
	events := s.all()
	slices.SortStableFunc(events, func(a, b event) int {
		return cmp.Or(cmp.Compare(s.traced(a), s.traced(b)), cmp.Compare(a.who, b.who), cmp.Compare(a.what, b.what))
	})
	return events
}

// traced is when e happened as far as the trace has it.
func (s *Story) traced(e event) time.Duration {
	if s.untimed {
		return 0
	}
	return s.at(e)
}

// at is when e happened, or 0 if the story has no time.
func (s *Story) at(e event) time.Duration {
	if !s.timed {
		return 0
	}
	return e.at
}

// timeline returns the last events as lines of a table, at most that many
// beside its head. Several members get a column each.
func (s *Story) timeline(most int) []string {
	events := s.all()
	if len(events) == 0 || most <= 0 {
		return nil
	}
	rows := [][]string{}
	columns := participants(events)
	stamp, unit := stamp(s.at(events[len(events)-1]) > 0)
	if head := append([]string{unit}, columns...); len(columns) > 1 {
		rows = append(rows, head)
	}
	skip := max(len(events)-most, 0)
	if skip > 0 {
		rows = append(rows, []string{"…", fmt.Sprintf("%d before", skip)})
	}
	for i, e := range events[skip:] {
		row := make([]string, 1+max(len(columns), 1))
		row[0] = stamp(skip+i, e)
		row[1+max(slices.Index(columns, e.who), 0)] = e.what
		rows = append(rows, row)
	}
	return align(rows)
}

// stamp tells events apart: by time if any passed, by number if none did.
func stamp(timed bool) (of func(i int, e event) string, unit string) {
	if timed {
		return func(_ int, e event) string { return fmt.Sprintf("%.3fs", e.at.Seconds()) }, "time"
	}
	return func(i int, _ event) string { return fmt.Sprint(i + 1) }, "step"
}

// participants are the columns; one for all if there are too many.
func participants(events []event) []string {
	var names []string
	for _, e := range events {
		if !slices.Contains(names, e.who) {
			names = append(names, e.who)
		}
	}
	slices.Sort(names)
	if len(names) > mostColumns {
		for i, e := range events {
			if e.who != "" {
				events[i].what = e.who + ": " + e.what
			}
		}
		return nil
	}
	return names
}

// align pads the columns of rows, and cuts what would make a row too wide.
func align(rows [][]string) []string {
	var widths []int
	widest := mostWidth
	for _, row := range rows {
		widest = min(widest, (mostWidth-12)/max(len(row)-1, 1))
	}
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = min(max(widths[i], utf8.RuneCountInString(cell)), widest)
		}
	}
	lines := make([]string, len(rows))
	for r, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			fmt.Fprintf(&b, "%-*s  ", widths[i], cut(cell, widest))
		}
		lines[r] = strings.TrimRight(b.String(), " ")
	}
	return lines
}

func cut(s string, width int) string {
	if utf8.RuneCountInString(s) <= width {
		return s
	}
	return string([]rune(s)[:width-1]) + "…"
}

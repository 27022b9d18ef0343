package dashboard

import (
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"
	"time"
)

// plainPage is what the template of the page gets: enough to be of use without
// JavaScript.
type plainPage struct {
	*snapshot

	Query string
	Found *found
	Fault *refusal
}

// Events are the newest events, the newest first.
func (p plainPage) Events() []event {
	events := slices.Clone(p.events)
	slices.SortStableFunc(events, func(a, b event) int { return b.At.Compare(a.At) })
	return events[:min(len(events), 30)]
}

// Rates is the newest point, or an empty one.
func (p plainPage) Rates() point {
	if len(p.points) == 0 {
		return point{}
	}
	return p.points[len(p.points)-1]
}

// Error is what is wrong with the query.
func (p plainPage) Error() string {
	if p.Fault == nil {
		return ""
	}
	return p.Fault.text
}

// State says in words how a member is.
func (m memberInfo) State() string {
	switch {
	case !m.Heard && m.Trouble != "":
		return m.Status + ", has not answered yet"
	case !m.Heard:
		return m.Status
	case !m.Answers && m.Status == "out":
		return "out of the view, does not answer"
	case !m.Answers:
		return m.Status + ", but does not answer"
	case m.Status == "out":
		return "out of the view, but answers"
	}
	return m.Status
}

// LeaseText says in words what is left of a member's lease.
func (m memberInfo) LeaseText() string {
	switch {
	case !m.Leases:
		return "none in this cluster"
	case !m.Answers:
		return "unknown"
	case !m.Leased:
		return "none at present"
	}
	return fmt.Sprintf("%d ms", m.Lease)
}

// KindsText lists how many activations of each kind there are.
func (m memberInfo) KindsText() string {
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(m.Kinds)) {
		parts = append(parts, fmt.Sprintf("%d %s", m.Kinds[kind], kind))
	}
	return strings.Join(parts, ", ")
}

// took is a duration in milliseconds as people read it.
func took(ms float64) string {
	if ms < 1 {
		return fmt.Sprintf("%.0f µs", ms*1000)
	}
	return fmt.Sprintf("%.1f ms", ms)
}

// templates are the pages that are made here.
func templates() *template.Template {
	clock := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.Format("15:04:05.0")
	}
	functions := template.FuncMap{
		"clock": clock, "short": short,
		"whole": func(f float64) string { return fmt.Sprintf("%.0f", f) },
		"took":  took,
		"tenth": func(f float64) string { return fmt.Sprintf("%.1f", f) },
	}
	return template.Must(template.New("").Funcs(functions).ParseFS(static, "static/*.html"))
}

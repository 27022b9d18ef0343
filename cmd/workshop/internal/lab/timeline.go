package lab

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/protocluster/workshop/cmd/internal/witness"
)

// margin is how much of what was before the first action is shown.
const margin = 2 * time.Second

// timeline draws what happened: a strip for each member and one for the users that
// do not answer, and below it the events.
func timeline(r *witness.Report, actions []Action) string {
	var b strings.Builder
	zero := r.Since
	if len(actions) > 0 {
		zero = actions[0].At
	}
	strips(&b, r, zero)
	b.WriteString("\n")
	for _, e := range events(r, actions) {
		fmt.Fprintf(&b, "  %+8.2f s  %-8s  %s\n", e.at.Sub(zero).Seconds(), e.who, e.what)
	}
	return strings.TrimRight(b.String(), "\n")
}

const (
	width = 64 // of a strip, at most
	level = " ▁▂▃▄▅▆▇█"
)

// strips draws how many answers came from each member, and how many users were
// silent.
func strips(b *strings.Builder, r *witness.Report, zero time.Time) {
	if len(r.Cells) == 0 {
		b.WriteString("  nothing happened\n")
		return
	}
	first, last := r.Cells[0].At, r.Cells[len(r.Cells)-1].At
	columns := int(last.Sub(first)/witness.Tick) + 1
	each := (columns + width - 1) / width // cells in a column
	columns = (columns + each - 1) / each
	answers, silent := make(map[string][]int), make([]int, columns)
	for _, name := range Members {
		answers[name] = make([]int, columns)
	}
	for _, c := range r.Cells {
		at := int(c.At.Sub(first)/witness.Tick) / each
		silent[at] = max(silent[at], c.Unheard)
		for member, n := range c.Answers {
			if row, ok := answers[member]; ok {
				row[at] += n
			}
		}
	}
	most := 1
	for _, row := range answers {
		most = max(most, slices.Max(row))
	}
	for _, name := range Members {
		fmt.Fprintf(b, "  %-11s %s\n", name, bars(answers[name], most))
	}
	fmt.Fprintf(b, "  %-11s %s\n", "unavailable", bars(silent, max(r.Users/3, slices.Max(silent), 1)))
	ruler := []rune(strings.Repeat(" ", columns))
	if at := int(zero.Sub(first)/witness.Tick) / each; at >= 0 && at < columns {
		ruler[at] = '^'
	}
	fmt.Fprintf(b, "  %-11s %s  a column is %v\n", "", string(ruler), time.Duration(each)*witness.Tick)
}

func bars(values []int, most int) string {
	steps := []rune(level)
	var b strings.Builder
	for _, v := range values {
		at := 0
		if v > 0 {
			at = max(1, v*(len(steps)-1)/most)
		}
		b.WriteRune(steps[min(at, len(steps)-1)])
	}
	return b.String()
}

// event is one line of the story.
type event struct {
	at   time.Time
	who  string
	what string
}

// events are what was done, and what came of it, in order.
func events(r *witness.Report, actions []Action) []event {
	var all []event
	for _, a := range actions {
		what := fmt.Sprint(a.Verb, " ", a.Who)
		if a.With != "" {
			what += apart + a.With
		}
		all = append(all, event{a.At, "you", fmt.Sprintf("%s (Docker took %s)", what, seconds(a.Took))})
	}
	all = append(all, views(r)...)
	all = append(all, waves(r)...)
	all = append(all, silences(r)...)
	all = append(all, breaches(r)...)
	slices.SortStableFunc(all, func(a, b event) int { return a.at.Compare(b.at) })
	return all
}

func views(r *witness.Report) []event {
	var all []event
	for _, v := range r.Views {
		var gone []string
		for _, name := range Members {
			if !slices.Contains(v.Members, name) {
				gone = append(gone, name)
			}
		}
		text := "all members"
		if len(gone) > 0 {
			text = "without " + strings.Join(gone, ", ")
		}
		all = append(all, event{v.At, "view", fmt.Sprintf("epoch %d: %s", v.Epoch, text)})
	}
	return all
}

// lull is how long nothing begins on a member before what follows is told apart.
const lull = 2 * time.Second

// waves sums up activations that began one after another on a member.
func waves(r *witness.Report) []event {
	var all []event
	for _, name := range Members {
		var w witness.Wave
		end := func() {
			if w.N > 0 {
				all = append(all, event{w.First, name, fmt.Sprintf("starts %d users, within %s", w.N, seconds(w.Last.Sub(w.First)))})
			}
		}
		for _, c := range r.Cells {
			next := c.Begun[name]
			switch {
			case next.N == 0:
			case w.N > 0 && next.First.Sub(w.Last) < lull:
				w.N, w.Last = w.N+next.N, next.Last
			default:
				end()
				w = next
			}
		}
		end()
	}
	return all
}

// silences are the times in which users did not answer.
func silences(r *witness.Report) []event {
	var all []event
	for _, g := range r.Gaps() {
		all = append(all, event{g.From, "client", fmt.Sprintf("the first of %d users does not answer", g.Users)})
		if !g.Open {
			all = append(all, event{g.To, "client", fmt.Sprintf("all users answer again, after %s", seconds(g.To.Sub(g.From)))})
		}
	}
	return all
}

// shown is how many breaches of a kind are told one by one.
const shown = 3

func breaches(r *witness.Report) []event {
	var all []event
	n := map[witness.Kind]int{}
	for _, b := range r.Breaches {
		if n[b.Kind]++; n[b.Kind] <= shown {
			all = append(all, event{b.At, "BREACH", fmt.Sprintf("%s, user/%s: %s", b.Kind, b.User, b.Text)})
		}
	}
	return all
}

package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview/model"
)

// replay takes the steps by the protocol itself, with nothing left out and
// nothing forgotten, and returns the states, the first of them the initial one.
func replay(p protocol, steps []model.Step) ([]model.State, error) {
	states := []model.State{p.Model.Initial()}
	for i, step := range steps {
		s := states[i]
		if !p.Enabled(&s, step) {
			return states, fmt.Errorf("explore: step %d, %v, is not enabled when all facts are kept", i+1, step)
		}
		states = append(states, p.Apply(s, step))
	}
	return states, nil
}

// writeTimeline writes the steps as a numbered list, with a column for what each
// node knows after it.
func writeTimeline(w io.Writer, p protocol, steps []model.Step) error {
	states, err := replay(p, steps)
	nodes := p.Config().Nodes
	texts := []string{"a cluster of " + names(states[0].Newest().Members())}
	for i := range states[1:] {
		texts = append(texts, describe(p, steps[i], &states[i], &states[i+1]))
	}
	width := 0
	for _, t := range texts {
		width = max(width, len([]rune(t)))
	}
	line := func(number, text string, column func(node int) string) string {
		fields := []string{fmt.Sprintf("%4s  %-*s", number, width, text)}
		for i := range nodes {
			fields = append(fields, fmt.Sprintf("%-22s", column(i)))
		}
		return strings.TrimRight(strings.Join(fields, "  "), " ")
	}
	lines := []string{line("", "what happens", func(i int) string { return fmt.Sprintf("n%d", i) })}
	for i, t := range texts {
		lines = append(lines, line(fmt.Sprint(i), t, func(n int) string { return cell(p, &states[i], n) }))
	}
	_, werr := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return errors.Join(err, werr)
}

// cell is what a node knows: its view, the age of its lease in ticks, and
// whether it holds an activation or can even dispatch to it.
func cell(p protocol, s *model.State, i int) string {
	e := s.Installed(i)
	if e == 0 {
		return "-"
	}
	text := fmt.Sprintf("v%d ", e)
	if age, ok := p.LeaseAge(s, i); ok {
		text += fmt.Sprintf("lease age %d", age)
	} else {
		text += "no lease"
	}
	switch {
	case p.Serving(s).Has(i):
		text += " SERVES"
	case s.Active().Has(i):
		text += " holds"
	}
	return text
}

// describe says what a step did, from before to after.
func describe(p protocol, step model.Step, before, after *model.State) string {
	node, peer := int(step.Node), int(step.Peer)
	text := step.String()
	switch step.Kind {
	case model.Install:
		e := after.Installed(node)
		text = fmt.Sprintf("n%d installs view %d", node, e)
		if !after.View(e).Members().Has(node) {
			text += ": it is out"
		} else if after.Barrier(node, e) && p.Owner(after.View(e)) != node {
			text += ", gives its barrier"
		}
	case model.Release:
		text += fmt.Sprintf(", gives its barrier for view %d", after.Installed(node))
	case model.Exclude:
		if owed := before.Promise(peer, node); owed > 0 {
			text += fmt.Sprintf(", owes it %d more ticks", owed)
		}
	case model.Change, model.Force, model.Overwrite:
		text = fmt.Sprintf("%s: view %d is %s", change(step), after.Epoch(), names(after.Newest().Members()))
		if leaving := after.Newest().Leaving(); leaving != 0 {
			text += ", leaving " + names(leaving)
		}
	}
	return text
}

func change(step model.Step) string {
	switch step.Kind {
	case model.Force:
		return "override"
	case model.Overwrite:
		return "blind write"
	}
	return "written"
}

// names are the names of the nodes in a set.
func names(s model.Set) string {
	var list []string
	for i := range model.Nodes {
		if s.Has(i) {
			list = append(list, fmt.Sprintf("n%d", i))
		}
	}
	if list == nil {
		return "nobody"
	}
	return strings.Join(list, " ")
}

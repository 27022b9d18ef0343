package model

import (
	"errors"
	"fmt"
	"strings"
)

// MaxViews is how many views there can be at a time.
const MaxViews = 7

// StoreMode says when the store is a grantor of leases.
type StoreMode uint8

// The store modes.
const (
	StoreThird StoreMode = iota // of two members' leases, as the third voter: council mode
	StoreOnly                   // of all leases, alone: store mode
	StoreNever                  // never; two members need each other
)

func (m StoreMode) String() string {
	return [...]string{"council", "store", "never"}[m]
}

// Config bounds a model. The zero value of a field means what its comment says.
type Config struct {
	// Nodes is how many nodes there are, at most four; 0 means 3.
	Nodes int
	// Initial is how many of them are the first view's members, those with
	// the lowest numbers; 0 means all.
	Initial int
	// Changes is how many changes of the view there may be; 0 means any
	// number, of which Window may be in use at once.
	Changes int
	// Window is how many views may be in use at a time; 0 means Changes+1,
	// or 3 if there is any number of changes.
	Window int
	// Lease is L in ticks, at most 7; 0 means 2.
	Lease int
	// Horizon is T_store in ticks, at most 12; 0 means that the store is
	// always reached: no lease depends on its evidence, no view is closed by
	// time alone and there is no override.
	Horizon int
	// Store says when the store grants leases; 0 means council mode.
	Store StoreMode
	// Ranking has the nodes in the order in which they would own the
	// identity; "" means by number.
	Ranking string
	// Plan forces the changes of the view, "" means any. Changes are
	// separated by commas, what changes together stands together: -0 removes
	// node 0, +3 admits it, ~0 marks it as leaving, !12 overrides the view so
	// that 1 and 2 remain.
	Plan string
	// Batch is how many members may be removed, admitted or marked by one
	// change; 0 means 1. A Plan is not bound by it.
	Batch int
	// Leaving lets members leave by themselves.
	Leaving bool
	// Override lets the view be overridden. It needs a Horizon.
	Override bool
	// Cancel lets an override be cancelled.
	Cancel bool
	// FullHistory has barriers awaited of the owners of all views, not just
	// of those since the last complete one.
	FullHistory bool
	// Variant changes the protocol in a way that is meant to be safe.
	Variant Variant
	// Mutation breaks the protocol.
	Mutation Mutation
	// Audit has each step checked against the invariants of steps, which
	// costs about a third of the speed.
	Audit bool
	// Plain has an Expander try every step and keep every fact.
	Plain bool
}

// Variant is a set of changes to the protocol that should not break it.
type Variant uint8

// The variants.
const (
	// GrantsOutliveViews has a member count grants of the view before in a
	// new one, if their grantors are voters of both.
	GrantsOutliveViews Variant = 1 << iota
	// OverrideCloses takes the view before an override for closed at once.
	OverrideCloses
	// LeavingDoNotVote has a view's grantors chosen of the members that stay.
	LeavingDoNotVote
)

// change is one change of the view.
type change struct{ remove, join, leave, force Set }

// withDefaults returns c with its zero fields filled in and its plan, or every
// fault of it.
func (c Config) withDefaults() (Config, []change, error) {
	var faults []error
	bound := func(name string, field *int, zero, least, most int) {
		if *field == 0 {
			*field = zero
		}
		if *field < least || *field > most {
			faults = append(faults, fmt.Errorf("model: %s is %d; it must be from %d to %d", name, *field, least, most))
		}
	}
	bound("Nodes", &c.Nodes, 3, 1, Nodes)
	bound("Initial", &c.Initial, c.Nodes, 1, c.Nodes)
	plan, err := parsePlan(c.Plan, c.Nodes)
	if err != nil {
		faults = append(faults, err)
	}
	if len(plan) > 0 {
		c.Changes = len(plan)
	}
	window := 3
	if c.Changes > 0 {
		window = c.Changes + 1
	}
	bound("Window", &c.Window, window, 2, MaxViews)
	bound("Lease", &c.Lease, 2, 1, 7)
	bound("Horizon", &c.Horizon, 0, 0, 12)
	bound("Batch", &c.Batch, 1, 1, Nodes)
	if c.Override && c.Horizon == 0 {
		faults = append(faults, errors.New("model: Override needs a Horizon"))
	}
	if c.Ranking == "" {
		c.Ranking = "0123"[:min(max(c.Nodes, 1), Nodes)]
	}
	if ranking, err := parseNodes(c.Ranking, c.Nodes); err != nil || len(c.Ranking) != c.Nodes || ranking.Len() != c.Nodes {
		faults = append(faults, fmt.Errorf("model: the ranking %q does not have each of the %d nodes once", c.Ranking, c.Nodes))
	}
	return c, plan, errors.Join(faults...)
}

func parsePlan(plan string, nodes int) ([]change, error) {
	if plan == "" {
		return nil, nil
	}
	var changes []change
	for entry := range strings.SplitSeq(plan, ",") {
		c, err := parseChange(entry, nodes)
		if err != nil {
			return nil, fmt.Errorf("model: %q in the plan is not a change such as -0+3, ~1 or !12: %w", entry, err)
		}
		changes = append(changes, c)
	}
	return changes, nil
}

func parseChange(entry string, nodes int) (change, error) {
	var c change
	fields := map[rune]*Set{'-': &c.remove, '+': &c.join, '~': &c.leave, '!': &c.force}
	var field *Set
	for _, d := range entry {
		if f, ok := fields[d]; ok {
			field = f
			continue
		}
		node, err := parseNodes(string(d), nodes)
		if err != nil || field == nil {
			return c, errors.Join(err, errors.New("a sign goes before nodes"))
		}
		*field |= node
	}
	if c == (change{}) || strings.ContainsAny(entry[len(entry)-1:], "-+~!") {
		return c, errors.New("nodes go after a sign")
	}
	return c, nil
}

func parseNodes(digits string, nodes int) (Set, error) {
	var s Set
	for _, d := range digits {
		if d < '0' || int(d-'0') >= nodes {
			return 0, fmt.Errorf("model: %q is not one of %d nodes", d, nodes)
		}
		s |= setOf(int(d - '0'))
	}
	return s, nil
}

// String says what differs from the defaults, in the words of the explorer's
// flags.
func (c Config) String() string {
	s := fmt.Sprintf("%d nodes", c.Nodes)
	add := func(when bool, format string, args ...any) {
		if when {
			s += fmt.Sprintf(format, args...)
		}
	}
	add(c.Initial != c.Nodes && c.Initial != 0, ", %d initial", c.Initial)
	add(c.Plan != "", ", plan %s", c.Plan)
	add(c.Plan == "" && c.Changes > 0, ", %d changes", c.Changes)
	add(c.Plan == "" && c.Changes == 0, ", any changes, window %d", c.Window)
	add(c.Batch > 1, ", batch %d", c.Batch)
	add(c.Leaving, ", leaving")
	add(c.Lease != 2 && c.Lease != 0, ", L=%d", c.Lease)
	add(c.Horizon > 0, ", T=%d", c.Horizon)
	add(c.Override, ", override")
	add(c.Cancel, ", cancel")
	add(c.Store != StoreThird, ", %s", c.Store)
	add(c.Ranking != "" && !strings.HasPrefix("0123", c.Ranking), ", rank %s", c.Ranking)
	add(c.FullHistory, ", full history")
	add(c.Variant&GrantsOutliveViews != 0, ", grants outlive views")
	add(c.Variant&OverrideCloses != 0, ", override closes")
	add(c.Variant&LeavingDoNotVote != 0, ", leaving do not vote")
	return s
}

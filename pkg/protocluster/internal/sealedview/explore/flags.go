package main

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview/model"
)

// parse reads the flags; what is wrong with them is written to w.
func parse(args []string, w io.Writer) (*command, error) {
	c := new(command)
	f := flag.NewFlagSet("explore", flag.ContinueOnError)
	f.SetOutput(w)
	f.BoolVar(&c.all, "all", false, "explore every configuration and every mutation")
	f.BoolVar(&c.short, "short", false, "explore what takes some seconds, and every mutation")
	f.BoolVar(&c.list, "list", false, "list the mutations")
	f.IntVar(&c.walk, "walk", 0, "walk at random, that many steps and then again")
	f.DurationVar(&c.time, "time", 10*time.Second, "how long to walk")
	f.IntVar(&c.limits.workers, "workers", workers(), "how many goroutines search")
	f.Uint64Var(&c.limits.seed, "seed", 1, "of the hash and of the walks")
	memory := f.Float64("memory", 6, "GiB that a search may use")
	configFlags(f, &c.config)
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	c.limits.memory = int64(*memory * (1 << 30))
	f.Visit(func(g *flag.Flag) {
		own := []string{"all", "short", "list", "walk", "time", "workers", "seed", "memory", "mutation"}
		c.bounded = c.bounded || !slices.Contains(own, g.Name)
	})
	if f.NArg() > 0 {
		_, err := fmt.Fprintf(w, "explore takes no arguments, but was given %q; see -help\n", f.Args())
		return nil, fmt.Errorf("explore: arguments: %w", err)
	}
	return c, nil
}

// configFlags are the flags of one configuration.
func configFlags(f *flag.FlagSet, c *model.Config) {
	f.IntVar(&c.Nodes, "nodes", 0, "nodes, at most 4 (default 3)")
	f.IntVar(&c.Initial, "initial", 0, "how many of them begin (default all)")
	f.IntVar(&c.Changes, "changes", 0, "changes of the view (default any number)")
	f.IntVar(&c.Window, "window", 0, "views in use at a time (default 3, or enough for the changes)")
	f.IntVar(&c.Lease, "lease", 0, "L in ticks (default 2)")
	f.IntVar(&c.Horizon, "horizon", 0, "T_store in ticks (default: the store is always reached)")
	f.IntVar(&c.Batch, "batch", 0, "members that one change may be about (default 1)")
	f.StringVar(&c.Ranking, "rank", "", "the nodes in the order in which they own the identity")
	f.StringVar(&c.Plan, "plan", "", "the changes: -0 removes, +3 admits, ~1 marks as leaving, !12 overrides; -0+3,~1")
	f.BoolVar(&c.Leaving, "leaving", false, "members may leave")
	f.BoolVar(&c.Override, "override", false, "the view may be overridden; needs -horizon")
	f.BoolVar(&c.Cancel, "cancel", false, "an override may be cancelled")
	f.BoolVar(&c.FullHistory, "full-history", false, "barriers of all earlier owners, without complete_through")
	f.BoolVar(&c.Audit, "audit", false, "check each step too: promises, epochs, exclusions, tokens, removals")
	f.BoolVar(&c.Plain, "plain", false, "leave out no step and forget nothing")
	f.Func("store", "who grants leases: council, store or never (default council)", func(s string) error {
		for m := model.StoreThird; m <= model.StoreNever; m++ {
			if m.String() == s {
				c.Store = m
				return nil
			}
		}
		return fmt.Errorf("not one of council, store, never")
	})
	f.Func("variant", "changes that should be safe: grants-outlive-views, override-closes, leaving-do-not-vote", func(s string) error {
		for name := range strings.SplitSeq(s, ",") {
			i := slices.Index([]string{"grants-outlive-views", "override-closes", "leaving-do-not-vote"}, name)
			if i < 0 {
				return fmt.Errorf("%q is none of them", name)
			}
			c.Variant |= 1 << i
		}
		return nil
	})
	f.Func("mutation", "which protection to take out; see -list", func(s string) error {
		for m := range model.Mutations() {
			if m.String() == s {
				c.Mutation = m
				return nil
			}
		}
		return fmt.Errorf("no such mutation; see -list")
	})
}

package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview/explore/search"
)

// writeConfigurations writes the table of configurations and reports whether all
// hold.
func writeConfigurations(w io.Writer, outcomes []outcome) bool {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer t.Flush()
	_, _ = fmt.Fprintln(t, "configuration\tstates\tdepth\ttime\tresult")
	good := true
	var states int64
	var elapsed time.Duration
	missed := 0.0
	for _, o := range outcomes {
		text, ok := o.verdict()
		good = good && ok
		states, elapsed = states+o.States, elapsed+o.Elapsed
		missed += search.Collision(o.States)
		c, took := o.protocol.Config(), o.Elapsed.Round(time.Millisecond)
		_, _ = fmt.Fprintf(t, "%v\t%d\t%d\t%v\t%s\n", c, o.States, o.Depth, took, text)
	}
	elapsed = elapsed.Round(time.Millisecond)
	_, _ = fmt.Fprintf(t, "together\t%d\t\t%v\tcollision of hashes hid a state: p < %.0e\n", states, elapsed, missed)
	return good
}

// writeMutations writes the table of mutations and reports whether all were
// found.
func writeMutations(w io.Writer, outcomes []outcome) bool {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer t.Flush()
	_, _ = fmt.Fprintln(t, "mutation\tfound after states\ttrace length\ttime\tin")
	good := true
	for _, o := range outcomes {
		c := o.protocol.Config()
		length := fmt.Sprint(len(o.steps))
		if !o.found() {
			good = false
			length = "SURVIVED"
		}
		_, _ = fmt.Fprintf(t, "%v\t%d\t%s\t%v\t%v\n", c.Mutation, o.States, length, o.Elapsed.Round(time.Millisecond), c)
	}
	return good
}

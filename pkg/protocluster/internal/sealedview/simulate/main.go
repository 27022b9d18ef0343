// Command simulate runs the protocol of package sealedview against a simulated
// network, store and clocks, one run for each seed. A run that breaks a promise
// is shown with its last events and the command that replays it.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview/sim"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:forbidigo // a command
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("simulate", flag.ContinueOnError)
	mode := flags.String("mode", "safety", "safety (faults all the time) or liveness (faults, then none)")
	profile := flags.String("profile", "", "faults, churn, majority, backup or calm; chosen by the seed unless given")
	grantors := flags.String("grantors", "", "council or store; chosen by the seed unless given")
	seed := flags.Uint64("seed", 1, "the first seed")
	seeds := flags.Uint64("seeds", 1, "how many seeds, one after another")
	workers := flags.Int("workers", runtime.GOMAXPROCS(0), "how many runs at a time")
	rate := flags.Int("rate", 0, "by how many millionths clocks are off; 0 lets the seed choose, within the promise")
	trace := flags.Bool("trace", false, "show every event")
	if err := flags.Parse(args); err != nil {
		return err
	}
	config := sim.Config{Mode: sim.Mode(*mode), Profile: sim.Profile(*profile), Grantors: sealedview.Mode(*grantors), Rate: *rate}
	if *trace {
		config.Trace, *workers = out, 1
	}
	return runAll(config, *seed, *seeds, *workers, out)
}

// runAll runs the seeds and reports what is broken, and how fast it went.
func runAll(config sim.Config, first, seeds uint64, workers int, out io.Writer) error {
	var next, broken atomic.Uint64
	var mu sync.Mutex
	var nodes float64
	var wait sync.WaitGroup
	begin := time.Now()
	for range workers {
		wait.Go(func() {
			for i := next.Add(1) - 1; i < seeds; i = next.Add(1) - 1 {
				c := config
				c.Seed = first + i
				r := sim.Run(c)
				mu.Lock()
				nodes += r.NodeSeconds
				if r.Fault != "" || seeds == 1 {
					fmt.Fprintln(out, r)
				}
				mu.Unlock()
				if r.Fault != "" {
					broken.Add(1)
				}
			}
		})
	}
	wait.Wait()
	took := time.Since(begin)
	fmt.Fprintf(out, "%d seeds, %.0f node-seconds in %v: %.0f a second\n", seeds, nodes, took.Round(time.Millisecond), nodes/took.Seconds())
	if n := broken.Load(); n > 0 {
		return fmt.Errorf("%d of %d seeds broke a promise", n, seeds)
	}
	return nil
}

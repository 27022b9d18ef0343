// Command explore tries all that the protocol of sealed views can do, within
// bounds, and says whether two nodes could ever serve one identity.
//
//	explore -all                      every configuration and every mutation
//	explore -short                    what make test tries
//	explore -mutation no-r2           how the protocol breaks without rule R2
//	explore -nodes 4 -plan +3,-0      one configuration
//	explore -walk 60 -time 10s        random walks instead
//	explore -list                     the mutations
//
// It exits with 1 if a configuration does not hold or a mutation is not found,
// and with 2 if it was used wrongly.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview/explore/search"
	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview/model"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt) //nolint:forbidigo // where the program begins
	defer stop()
	debug.SetGCPercent(25)                               // most of the memory lives until the end
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr)) //nolint:forbidigo // a program says how it went
}

// command is what the flags ask for.
type command struct {
	all, short, list bool
	walk             int
	time             time.Duration
	limits           limits
	config           model.Config
	bounded          bool // by flags; otherwise a mutation has its own configuration
	out              io.Writer
	complaints       *os.File
}

func run(ctx context.Context, args []string, out io.Writer, complaints *os.File) int {
	c, err := parse(args, complaints)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	c.out, c.complaints = out, complaints
	var good bool
	switch {
	case c.list:
		good = true
		for m := range model.Mutations() {
			_, _ = fmt.Fprintf(out, "%-24s removes %s\n", m, m.Removes())
		}
	case c.all || c.short:
		good, err = c.suite(ctx)
	default:
		good, err = c.one(ctx)
	}
	if err != nil {
		_, _ = fmt.Fprintln(complaints, err)
		return 2
	}
	if !good {
		return 1
	}
	return 0
}

// suite explores the catalogue and breaks all mutations.
func (c *command) suite(ctx context.Context) (bool, error) {
	var outcomes []outcome
	for _, e := range catalogue() {
		if !c.all && !e.short {
			continue
		}
		o, err := c.explore(ctx, e.config)
		if err != nil {
			return false, err
		}
		outcomes = append(outcomes, o)
		if o.Wrong != "" {
			c.violation(o)
		}
	}
	var tried atomic.Int64
	stop := watch(c.complaints, func(time.Time) string { return fmt.Sprintf("mutations: %d tried", tried.Load()) })
	broken, err := breakAll(ctx, c.limits, &tried)
	stop()
	if err != nil {
		return false, err
	}
	hold := writeConfigurations(c.out, outcomes)
	_, _ = fmt.Fprintln(c.out)
	found := writeMutations(c.out, broken)
	return hold && found, nil
}

// one explores the configuration of the flags, or walks in it.
func (c *command) one(ctx context.Context) (bool, error) {
	config := c.config
	if config.Mutation != model.None && !c.bounded {
		config = caseOf(config.Mutation)
	}
	o, err := c.explore(ctx, config)
	if err != nil {
		return false, err
	}
	if o.Wrong != "" {
		c.violation(o)
	}
	switch {
	case config.Mutation != model.None:
		return writeMutations(c.out, []outcome{o}), nil
	case c.walk > 0:
		_, _ = fmt.Fprintf(c.out, "%d walks, %d steps in %v\n", o.States, o.Transitions, o.Elapsed.Round(time.Millisecond))
		return o.Wrong == "", nil
	}
	return writeConfigurations(c.out, []outcome{o}), nil
}

func (c *command) explore(ctx context.Context, config model.Config) (outcome, error) {
	p, err := newProtocol(config)
	if err != nil {
		return outcome{}, err
	}
	progress := new(search.Progress)
	stop := watch(c.complaints, pace(p.Config().String(), progress))
	defer stop()
	switch {
	case c.walk > 0:
		return wander(ctx, p, c.walk, c.time, c.limits, progress), nil
	case config.Mutation != model.None:
		return shortest(ctx, p, c.limits, progress), nil
	}
	return explore(ctx, p, c.limits, progress), nil
}

// violation writes how a configuration goes wrong.
func (c *command) violation(o outcome) {
	config := o.protocol.Config()
	if config.Mutation != model.None {
		_, _ = fmt.Fprintf(c.out, "%v removes %s\n", config.Mutation, config.Mutation.Removes())
	}
	_, _ = fmt.Fprintf(c.out, "%v\n\n", config)
	if err := writeTimeline(c.out, o.protocol, o.steps); err != nil {
		_, _ = fmt.Fprintln(c.out, err)
	}
	_, _ = fmt.Fprintf(c.out, "\n%s\n\n", o.Wrong)
}

func workers() int { return runtime.GOMAXPROCS(0) }

// Command member runs one node of a cluster as a process: see -help.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	c, err := parseConfig(os.Args[1:], os.Getenv, os.Stderr)
	switch {
	case err != nil:
	case c.probe != "":
		err = probe(ctx, c.probe, os.Stdout)
	default:
		err = run(ctx, c, os.Stdout)
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run is a member's life: it joins, serves until ctx ends, and leaves. It logs
// to out as JSON, a line each.
func run(ctx context.Context, c *config, out io.Writer) error {
	logger := slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: c.logLevel}))
	if c.name != "" {
		logger = logger.With("name", c.name)
	}
	config, err := c.clusterConfig(ctx)
	if err != nil {
		return err
	}
	health, withHealth := serveHealth()
	defer health.Shutdown()
	config.Remote = config.Remote.With(withHealth)
	system := actor.NewSystem(actor.WithLogger(logger))
	node, board, err := c.node(ctx, system, config)
	if err != nil {
		return err
	}
	defer board.serve(ctx, logger)()
	unsubscribe := system.Events().Subscribe(func(event any) { logEvent(logger, event) })
	defer unsubscribe()
	if c.load > 0 {
		return runClient(ctx, c, logger, node)
	}
	if err := node.Join(ctx); err != nil {
		return err
	}
	health.Resume()
	logger.Info("up", "cluster", c.cluster, "id", system.ID(), "address", system.Address(), "kinds", c.kinds)
	<-ctx.Done()
	health.Shutdown()
	logger.Info("draining", "longest", c.drain.String())
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.drain)
	defer cancel()
	if err := node.Leave(drain); err != nil {
		return err
	}
	logger.Info("left")
	return nil
}

func logEvent(logger *slog.Logger, event any) {
	switch e := event.(type) {
	case *cluster.MemberJoined:
		logger.Info("member joined", "id", e.Member.ID, "address", e.Member.Address, "epoch", e.Epoch)
	case *cluster.MemberLeft:
		logger.Info("member left", "id", e.Member.ID, "address", e.Member.Address, "epoch", e.Epoch)
	case *actor.DeadLetter:
		logger.Debug("dead letter", "to", e.To.String(), "message", fmt.Sprintf("%T", e.Message), "reason", e.Reason)
	}
}

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/dashboard"
)

// dashboardConfig is what flags say about the live page.
type dashboardConfig struct {
	address   string // "": this member serves no page
	published bool
	reports   bool
	names     bool
	token     string
}

func (c *dashboardConfig) flags(flags *flag.FlagSet) {
	flags.StringVar(&c.address, "dashboard", "", "`host:port` to serve the live page of the cluster on; default: it is not served")
	flags.BoolVar(&c.published, "dashboard-published", false, "this is a container, of which the port of -dashboard is published on a"+
		" loopback address only: serve the page beyond this container without a token, to those who call it by a loopback name")
	flags.BoolVar(&c.reports, "dashboard-reports", false, "answer the live pages of other nodes; a member that serves one does so anyway")
	flags.BoolVar(&c.names, "dashboard-names", false, "let live pages show the identities that live here by name")
	flags.StringVar(&c.token, "dashboard-token", "", "`secret` that live pages ask people for, and show to other members;"+
		" needed to serve one beyond this machine. Prefer the environment, which others cannot see")
}

// check says all that is wrong with c.
func (c *dashboardConfig) check() error {
	switch {
	case c.published && (c.address == "" || c.token != ""):
		return errors.New("member: -dashboard-published is about a page without a token;" +
			" add -dashboard 0.0.0.0:8080, and leave -dashboard-token out")
	case c.published:
	case c.address != "":
		if err := dashboard.Check(c.address, c.token); err != nil {
			return fmt.Errorf("member: -dashboard and -dashboard-token: %w", err)
		}
	case c.reports:
	case c.names || c.token != "":
		return errors.New("member: -dashboard-names and -dashboard-token mean nothing to a member that no live page asks;" +
			" add -dashboard-reports, or -dashboard 127.0.0.1:8080")
	}
	return nil
}

// board is what a member has of a live page: a reporter, and maybe the page.
type board struct {
	reporter *dashboard.Reporter // nil: nothing
	page     *dashboard.Page     // nil: it is served elsewhere
	listener net.Listener
}

// node makes the member's node, with whatever the flags want of a live page.
func (c *config) node(ctx context.Context, system *actor.System, config *cluster.Config) (*cluster.Cluster, *board, error) {
	d := &c.dashboard
	if d.address == "" && !d.reports {
		return cluster.New(system, config), new(board), nil
	}
	b := &board{reporter: dashboard.NewReporter(dashboard.ReporterConfig{Name: c.name, Token: d.token, Names: d.names})}
	node := cluster.New(system, b.reporter.Watch(config))
	b.reporter.Attach(node)
	if d.address == "" {
		return node, b, nil
	}
	b.page = dashboard.NewPage(node, b.reporter, dashboard.Config{Token: d.token})
	listen := b.page.Listen
	if d.published {
		listen = listenPublished
	}
	listener, err := listen(ctx, d.address)
	b.listener = listener
	return node, b, err
}

// listenPublished listens where the page alone would refuse to: whoever reaches
// this port comes from the loopback address that it is published on. The page
// still answers loopback names only.
func listenPublished(ctx context.Context, address string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("member: -dashboard %s: %w; choose another port", address, err)
	}
	return listener, nil
}

// serve serves the page, if there is one, until stop is called, which waits for
// its end.
func (b *board) serve(ctx context.Context, logger *slog.Logger) (stop func()) {
	if b.page == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // the page shows the member leave
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := b.page.Serve(ctx, b.listener); err != nil {
			logger.Error("the live page is not served any more", "error", err)
		}
	}()
	logger.Info("live page", "url", "http://"+b.listener.Addr().String()+"/")
	return func() {
		cancel()
		<-ended
	}
}

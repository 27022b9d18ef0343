package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/dashboard"
)

const (
	// pageVisits is how often a user is visited while people look on.
	pageVisits = 500 * time.Millisecond
	// away is how long a member that has ended stays away.
	away = 8 * time.Second
)

// exhibition is the demo as people watch it on the live page: members, a load, and
// no story but what they do to the members.
type exhibition struct {
	address string // of the page
	users   int

	reporter *dashboard.Reporter
	page     *dashboard.Page

	mu sync.Mutex // of demo.members, once members are started anew
}

// watched makes the demo's own node one that serves the page.
func (e *exhibition) watched(config *cluster.Config) *cluster.Cluster {
	system := actor.NewSystem(actor.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil))))
	if e == nil {
		return cluster.New(system, config)
	}
	e.reporter = dashboard.NewReporter(dashboard.ReporterConfig{Name: "demo", Names: true})
	node := cluster.New(system, e.reporter.Watch(config))
	e.page = dashboard.NewPage(node, e.reporter, dashboard.Config{})
	return node
}

// memberFlags are those of a member that the page asks. The first serves a page as
// well.
func (e *exhibition) memberFlags(name string) []string {
	switch {
	case e == nil:
		return nil
	case name == "m1":
		return []string{"-dashboard", "127.0.0.1:0", "-dashboard-names"}
	}
	return []string{"-dashboard-reports", "-dashboard-names"}
}

// show serves the page until ctx ends, and starts members anew that have ended.
func (d *demo) show(ctx context.Context, node *cluster.Cluster) error {
	e := d.exhibition
	listener, err := e.page.Listen(ctx, e.address)
	if err != nil {
		return err
	}
	d.users = nil
	for n := range e.users {
		d.users = append(d.users, cluster.Identity{Kind: "user", Identity: fmt.Sprint(1 + n)})
	}
	load := startLoad(ctx, node, d.users, pageVisits, d.meeting.fenced())
	d.board.tell("kill -9 a member, or kill -STOP and later kill -CONT it, and watch; Ctrl-C ends everything")
	d.tellOfPage(d.members[0])
	d.board.tell("the live page is http://%s/", listener.Addr())
	var keeping sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	for i := range d.members {
		keeping.Go(func() { d.keep(ctx, i) })
	}
	err = e.page.Serve(ctx, listener)
	cancel()
	keeping.Wait()
	load.stop()
	return err
}

// keep starts the member of that number anew, under its name, whenever it has ended.
func (d *demo) keep(ctx context.Context, i int) {
	m, _ := d.others(i)
	for {
		select {
		case <-m.ended:
		case <-ctx.Done():
			return
		}
		d.board.tell("%s has ended; it is started anew in %v", m.name, away)
		select {
		case <-time.After(away):
		case <-ctx.Done():
			return
		}
		_, others := d.others(i)
		next, err := startMember(ctx, d.program, m.name, append(d.meeting.flags(others), d.exhibition.memberFlags(m.name)...))
		if err != nil {
			d.board.tell("%s was not started: %v", m.name, err)
			continue
		}
		d.board.tell("%s is up at %s, process %d", next.name, next.address, next.cmd.Process.Pid)
		d.tellOfPage(next)
		d.exhibition.mu.Lock()
		m, d.members[i] = next, next
		d.exhibition.mu.Unlock()
	}
}

// tellOfPage says where a member serves a page, if it does: at another port each
// time that it starts.
func (d *demo) tellOfPage(m *member) {
	if m.page != "" {
		d.board.tell("%s serves a live page too, as any member can: %s", m.name, m.page)
	}
}

// others returns the member of that number, and all others.
func (d *demo) others(i int) (m *member, others []*member) {
	d.exhibition.mu.Lock()
	defer d.exhibition.mu.Unlock()
	return d.members[i], slices.Delete(slices.Clone(d.members), i, i+1)
}

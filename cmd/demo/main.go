// Command demo shows a cluster of three processes at work: it asks a hundred
// users, kills the member that hosts one of them, and adds another. On Consul it
// also has a member sleep, and checks that nobody answers for what it has lost.
// It ends with status 1 if anything is not as it says.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

const (
	longest     = 28 * time.Second // of the whole demo
	clusterName = "demo"
)

var (
	errTooLong = fmt.Errorf("demo: not done after %v", longest)
	user123    = cluster.Identity{Kind: "user", Identity: "123"}
)

func main() {
	program := flag.String("member", ".bin/member", "`path` of the member program")
	provider := flag.String("provider", "automanaged", "what the members find each other by: automanaged or consul")
	consul := flag.String("consul", "", "`path` of Consul; default: $CONSUL_BIN, else that of the PATH, else .bin/consul")
	plain := flag.Bool("plain", false, "print lines, no live picture, on a terminal too")
	page := flag.String("page", "", "`host:port` of a live page to watch instead of the story, until it is interrupted")
	users := flag.Int("users", 1000, "how many users are visited while the live page is watched")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	d := &demo{program: *program, board: newBoard(os.Stdout, *plain)}
	if *page != "" {
		d.exhibition = &exhibition{address: *page, users: *users}
		if err := d.exhibit(ctx, *provider, *consul); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	ctx, cancel := context.WithTimeoutCause(ctx, longest, errTooLong)
	summary, err := d.run(ctx, *provider, *consul)
	if told := context.Cause(ctx); told != nil && !errors.Is(told, errTooLong) {
		err = fmt.Errorf("demo: %w; all that was started has been ended", told)
	}
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Fprintln(os.Stdout, summary)
}

// demo is one run.
type demo struct {
	program string
	board   *board
	meeting meeting
	members []*member
	users   []cluster.Identity
	load    *load

	exhibition *exhibition // instead of the story
}

// run plays the demo and cleans up after it, whatever happens.
func (d *demo) run(ctx context.Context, provider, consul string) (summary string, err error) {
	defer d.cleanUp(d.draw())
	node, err := d.begin(ctx, provider, consul)
	if err != nil {
		return "", err
	}
	d.users = []cluster.Identity{user123}
	for n := range 99 {
		d.users = append(d.users, cluster.Identity{Kind: "user", Identity: fmt.Sprint(200 + n)})
	}
	d.load = startLoad(ctx, node, d.users, pause, d.meeting.fenced())
	d.board.watch(d.load)
	summary, err = d.play(ctx)
	d.load.stop()
	return summary, errors.Join(err, node.Close())
}

// exhibit has people watch the live page until ctx ends, and cleans up.
func (d *demo) exhibit(ctx context.Context, provider, consul string) error {
	defer d.cleanUp(d.draw())
	node, err := d.begin(ctx, provider, consul)
	if err != nil {
		return err
	}
	return errors.Join(d.show(ctx, node), node.Close())
}

// draw has the board draw until stop is called.
func (d *demo) draw() (stop func()) {
	done := make(chan struct{})
	var drawing sync.WaitGroup
	drawing.Go(func() { d.board.run(done) })
	return func() {
		close(done)
		drawing.Wait()
	}
}

func (d *demo) cleanUp(stopDrawing func()) {
	stopDrawing()
	for _, m := range d.members {
		m.kill()
	}
	if d.meeting.consul != nil {
		d.meeting.consul.kill()
	}
}

// begin starts three members and connects to them.
func (d *demo) begin(ctx context.Context, provider, consul string) (*cluster.Cluster, error) {
	if err := d.meet(ctx, provider, consul); err != nil {
		return nil, err
	}
	if err := d.startMembers(ctx, "m1", "m2", "m3"); err != nil {
		return nil, err
	}
	return d.connect(ctx)
}

// meet prepares what the provider needs.
func (d *demo) meet(ctx context.Context, provider, consul string) error {
	switch provider {
	case "automanaged":
		return nil
	case "consul":
	default:
		return fmt.Errorf("demo: -provider %q is unknown; use automanaged or consul", provider)
	}
	for _, variable := range os.Environ() { // which is about another Consul
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "CONSUL_") && name != "CONSUL_BIN" {
			_ = os.Unsetenv(name) // it exists
		}
	}
	program, err := findConsul(consul)
	if err != nil {
		return err
	}
	agent, err := startConsul(ctx, program)
	if err != nil {
		return err
	}
	d.meeting.consul = agent
	d.board.tell("Consul is up, process %d; its own page is %s/ui/ until the end", agent.cmd.Process.Pid, agent.url)
	return nil
}

// startMembers starts members at the same time and waits until all are up.
func (d *demo) startMembers(ctx context.Context, names ...string) error {
	if len(d.members) == 0 { // somebody has to be first
		first, err := startMember(ctx, d.program, names[0], append(d.meeting.flags(nil), d.exhibition.memberFlags(names[0])...))
		if err != nil {
			return err
		}
		d.admit(first)
		names = names[1:]
	}
	flags := d.meeting.flags(d.members)
	started := make([]*member, len(names))
	errs := make([]error, len(names))
	var starting sync.WaitGroup
	for i, name := range names {
		starting.Go(func() {
			started[i], errs[i] = startMember(ctx, d.program, name, slices.Concat(flags, d.exhibition.memberFlags(name)))
		})
	}
	starting.Wait()
	for _, m := range started {
		if m != nil {
			d.admit(m)
		}
	}
	return errors.Join(errs...)
}

func (d *demo) admit(m *member) {
	d.members = append(d.members, m)
	d.board.add(m)
	d.board.tell("%s is up at %s, process %d", m.name, m.address, m.cmd.Process.Pid)
}

// connect joins the demo itself to the cluster, as a client.
func (d *demo) connect(ctx context.Context) (*cluster.Cluster, error) {
	provider, lookup := d.meeting.parts(d.members)
	config := cluster.Configure(clusterName, provider, lookup, remote.Configure("127.0.0.1", 0))
	node := d.exhibition.watched(config)
	if err := node.Connect(ctx); err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	for view := range node.Views(ctx) {
		if len(view.Hosts("user")) == len(d.members) {
			break // everybody knows everybody, so that nothing moves by itself
		}
	}
	return node, nil
}

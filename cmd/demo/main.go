// Command demo shows a cluster of three processes at work: it asks a hundred
// users, kills the member that hosts one of them, and adds another. It ends
// with status 1 if anything is not as it says.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/automanaged"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/disthash"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

const (
	longest = 28 * time.Second // of the whole demo
	calm    = time.Second      // without a move: the cluster has settled
)

var (
	errTooLong = fmt.Errorf("demo: not done after %v", longest)
	user123    = cluster.Identity{Kind: "user", Identity: "123"}
)

func main() {
	program := flag.String("member", ".bin/member", "`path` of the member program")
	plain := flag.Bool("plain", false, "print lines, no live picture, on a terminal too")
	flag.Parse()
	ctx, cancel := context.WithTimeoutCause(context.Background(), longest, errTooLong)
	board := newBoard(os.Stdout, *plain)
	summary, err := run(ctx, *program, board)
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
	members []*member
	users   []cluster.Identity
	load    *load
}

// run plays the demo and cleans up after it, whatever happens.
func run(ctx context.Context, program string, b *board) (summary string, err error) {
	d := &demo{program: program, board: b, users: []cluster.Identity{user123}}
	for n := range 99 {
		d.users = append(d.users, cluster.Identity{Kind: "user", Identity: fmt.Sprint(200 + n)})
	}
	done := make(chan struct{})
	var drawing sync.WaitGroup
	drawing.Go(func() { b.run(done) })
	defer func() {
		close(done)
		drawing.Wait()
		for _, m := range d.members {
			m.kill()
		}
	}()
	if err := d.startMembers(ctx, "m1", "m2", "m3"); err != nil {
		return "", err
	}
	node, err := d.connect(ctx)
	if err != nil {
		return "", err
	}
	d.load = startLoad(ctx, node, d.users)
	b.watch(d.load)
	summary, err = d.play(ctx)
	d.load.stop()
	return summary, errors.Join(err, node.Close())
}

// startMembers starts members at the same time and waits until all are up.
func (d *demo) startMembers(ctx context.Context, names ...string) error {
	var seeds []string
	for _, m := range d.members {
		seeds = append(seeds, m.endpoint)
	}
	if len(seeds) == 0 { // somebody has to be first
		first, err := startMember(ctx, d.program, names[0], nil)
		if err != nil {
			return err
		}
		d.admit(first)
		seeds, names = []string{first.endpoint}, names[1:]
	}
	started := make([]*member, len(names))
	errs := make([]error, len(names))
	var starting sync.WaitGroup
	for i, name := range names {
		starting.Go(func() { started[i], errs[i] = startMember(ctx, d.program, name, seeds) })
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
	var seeds []string
	for _, m := range d.members {
		seeds = append(seeds, m.endpoint)
	}
	logger := slog.New(slog.NewTextHandler(io.Discard, nil))
	provider := automanaged.NewWith(automanaged.Config{Bind: "127.0.0.1:0", Seeds: seeds})
	config := cluster.Configure("demo", provider, disthash.New(), remote.Configure("127.0.0.1", 0))
	node := cluster.New(actor.NewSystem(actor.WithLogger(logger)), config)
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

// play is the story. Each step checks what it tells.
func (d *demo) play(ctx context.Context) (string, error) {
	if err := d.first(ctx); err != nil {
		return "", err
	}
	crash, err := d.crash(ctx)
	if err != nil {
		return "", err
	}
	growth, err := d.grow(ctx)
	if err != nil {
		return "", err
	}
	d.load.stop()
	end, _ := d.load.state()
	if err := d.leave(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("ok: %s; %s; %d visits%s; %.1f s", crash, growth, end.answered+end.failures, failures(end),
		time.Since(d.board.start).Seconds()), nil
}

// first waits until every user has answered from some member.
func (d *demo) first(ctx context.Context) error {
	s, err := d.load.await(ctx, func(s state) bool { return s.since(d.users, time.Time{}) })
	if err != nil {
		return fmt.Errorf("%w: only %d of %d users answered; the last failure: %w", err, len(s.answers), len(d.users), s.example)
	}
	d.board.tell("%d users have answered, each activated by its first visit; user/123 is on %s", len(s.answers), s.answers[user123].Member)
	d.board.snapshot()
	for _, m := range d.members {
		if s.hosts[m.name] == 0 {
			return fmt.Errorf("demo: %s hosts no user; expected a share of %d", m.name, len(d.users))
		}
	}
	_, err = d.settle(ctx)
	return err
}

// settle waits until no user has moved for a while.
func (d *demo) settle(ctx context.Context) (state, error) {
	for {
		before, _ := d.load.state()
		from := time.Now()
		after, err := d.load.await(ctx, func(s state) bool {
			return time.Since(from) > calm && s.since(d.users, from)
		})
		if err != nil {
			return after, fmt.Errorf("%w: users still move or fail; the last failure: %w", err, after.example)
		}
		if len(moved(before, after)) == 0 {
			return after, nil
		}
	}
}

// moved lists the users whose activation changed between two states, by where
// they came from and went to.
func moved(before, after state) map[cluster.Identity][2]string {
	moves := make(map[cluster.Identity][2]string)
	for id, a := range after.answers {
		if b, ok := before.answers[id]; ok && b.Activation != a.Activation {
			moves[id] = [2]string{b.Member, a.Member}
		}
	}
	return moves
}

// crash kills the member that hosts user/123 and waits until all users answer
// again.
func (d *demo) crash(ctx context.Context) (string, error) {
	before, _ := d.load.state()
	victim := before.answers[user123].Member
	for _, m := range d.members {
		if m.name == victim {
			d.board.tell("kill -9 %s, which hosts user/123 and %d more", victim, before.hosts[victim]-1)
			d.board.mark(victim, "killed")
			m.kill()
		}
	}
	killed := time.Now()
	again, err := d.load.await(ctx, func(s state) bool { return s.answers[user123].Member != victim })
	if err != nil {
		return "", fmt.Errorf("%w: user/123 does not answer; the last failure: %w", err, again.example)
	}
	back := time.Since(killed)
	d.board.tell("user/123 answers again, from %s, %.2f s after the kill; %d visits failed meanwhile",
		again.answers[user123].Member, back.Seconds(), again.failures-before.failures)
	if again.example != nil {
		d.board.tell("one of them: %s", strings.ReplaceAll(again.example.Error(), "\n", "; "))
	}
	after, err := d.settle(ctx)
	if err != nil {
		return "", err
	}
	moves := moved(before, after)
	d.board.tell("all answer: %d users were activated anew on the others, %d stayed where they were", len(moves), len(d.users)-len(moves))
	d.board.snapshot()
	for id, move := range moves {
		if move[0] != victim || move[1] == victim {
			return "", fmt.Errorf("demo: %v moved from %s to %s; only those of %s should have moved", id, move[0], move[1], victim)
		}
	}
	if len(moves) != before.hosts[victim] {
		return "", fmt.Errorf("demo: %d users moved; expected the %d of %s", len(moves), before.hosts[victim], victim)
	}
	return fmt.Sprintf("kill -9 %s: user/123 answered again after %.2f s from %s",
		victim, back.Seconds(), again.answers[user123].Member), nil
}

// grow adds a member and waits until it has its share.
func (d *demo) grow(ctx context.Context) (string, error) {
	before, _ := d.load.state()
	if err := d.startMembers(ctx, "m4"); err != nil {
		return "", err
	}
	s, err := d.load.await(ctx, func(s state) bool { return s.hosts["m4"] > 0 })
	if err != nil {
		return "", fmt.Errorf("%w: no user moved to m4; the last failure: %w", err, s.example)
	}
	after, err := d.settle(ctx)
	if err != nil {
		return "", err
	}
	moves := moved(before, after)
	d.board.tell("%d users moved to m4, %d stayed, %d visits failed meanwhile",
		len(moves), len(d.users)-len(moves), after.failures-before.failures)
	d.board.snapshot()
	for id, move := range moves {
		if move[1] != "m4" {
			return "", fmt.Errorf("demo: %v moved from %s to %s; only m4 should gain", id, move[0], move[1])
		}
	}
	return fmt.Sprintf("m4 joined and took %d of %d users", len(moves), len(d.users)), nil
}

// leave drains all members, one after the other.
func (d *demo) leave(ctx context.Context) error {
	for _, m := range d.members {
		select {
		case <-m.ended:
			continue // killed
		default:
		}
		if err := m.drain(ctx); err != nil {
			return err
		}
		d.board.mark(m.name, "left")
	}
	d.board.tell("every member left by itself when told to")
	return nil
}

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// calm is how long nothing has moved when the cluster has settled.
const calm = time.Second

// play is the story. Each act checks what it tells, and sums it up.
func (d *demo) play(ctx context.Context) (string, error) {
	if err := d.first(ctx); err != nil {
		return "", err
	}
	acts := []func(context.Context) (string, error){d.crash, d.grow}
	if d.meeting.fenced() {
		acts = append(acts, d.sleep)
	}
	var sums []string
	for _, act := range acts {
		what, err := act(ctx)
		if err == nil {
			s, _ := d.load.state()
			err = s.audit.fault
		}
		if err != nil {
			return "", err
		}
		sums = append(sums, what)
	}
	d.load.stop()
	end, _ := d.load.state()
	if d.meeting.fenced() {
		sums = append(sums, fmt.Sprintf("tokens that went backwards: %d of %d", end.audit.backwards, end.audit.checked))
	}
	if end.audit.fault != nil {
		return "", end.audit.fault
	}
	if err := d.leave(ctx); err != nil {
		return "", err
	}
	sums = append(sums, fmt.Sprintf("%d visits%s", end.answered+end.failures, failures(end)),
		fmt.Sprintf("%.1f s", time.Since(d.board.start).Seconds()))
	return "ok: " + strings.Join(sums, "; "), nil
}

// await waits until ok holds of what the load knows; what says what did not
// come true in time.
func (d *demo) await(ctx context.Context, what string, ok func(state) bool) (state, error) {
	s, err := d.load.await(ctx, ok)
	switch {
	case err == nil:
		return s, nil
	case s.example == nil:
		return s, fmt.Errorf("%w: %s", err, what)
	}
	return s, fmt.Errorf("%w: %s; the last failure: %w", err, what, s.example)
}

// first waits until every user has answered from some member.
func (d *demo) first(ctx context.Context) error {
	s, err := d.await(ctx, "not every user has answered", func(s state) bool { return s.since(d.users, time.Time{}) })
	if err != nil {
		return err
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
		after, err := d.await(ctx, "users still move or fail", func(s state) bool {
			return time.Since(from) > calm && s.since(d.users, from)
		})
		if err != nil || len(moved(before, after)) == 0 {
			return after, err
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

// host is the member that answered for user/123 last.
func (d *demo) host(s state) *member {
	i := slices.IndexFunc(d.members, func(m *member) bool { return m.name == s.answers[user123].Member })
	return d.members[max(0, i)] // the first, if it is none that was started
}

// crash kills the member that hosts user/123 and waits until all users answer
// again.
func (d *demo) crash(ctx context.Context) (string, error) {
	before, _ := d.load.state()
	m := d.host(before)
	victim := m.name
	d.board.tell("kill -9 %s, which hosts user/123 and %d more", victim, before.hosts[victim]-1)
	d.board.mark(victim, "killed")
	m.kill()
	killed := time.Now()
	again, err := d.await(ctx, "user/123 does not answer", func(s state) bool { return s.answers[user123].Member != victim })
	if err != nil {
		return "", err
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
	if _, err := d.await(ctx, "no user moved to m4", func(s state) bool { return s.hosts["m4"] > 0 }); err != nil {
		return "", err
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
		if m.gone() {
			continue // killed
		}
		if err := m.drain(ctx); err != nil {
			return err
		}
		d.board.mark(m.name, "left")
	}
	d.board.tell("every member left by itself when told to")
	return nil
}

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// nap is how long the member sleeps: several leases.
const nap = 3 * time.Second

// sleep stops the member that hosts user/123, and lets it go on when others host
// its users. It has not noticed anything, and yet must not answer for them.
func (d *demo) sleep(ctx context.Context) (string, error) {
	before, _ := d.load.state()
	m := d.host(before)
	lost := of(m, before)
	d.board.tell("kill -STOP %s, which hosts user/123 and %d more, for %v", m.name, len(lost)-1, nap)
	d.board.mark(m.name, "asleep")
	if err := m.stop(); err != nil {
		return "", err
	}
	slept := time.Now()
	back, err := d.replaced(ctx, m, before, lost)
	if err != nil {
		return "", err
	}
	select {
	case <-time.After(nap - time.Since(slept)):
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	d.board.tell("kill -CONT %s: it goes on where it was, in a view that has passed", m.name)
	d.board.mark(m.name, "")
	if err := m.proceed(); err != nil {
		return "", err
	}
	if err := d.returned(ctx, m); err != nil {
		return "", err
	}
	return fmt.Sprintf("kill -STOP %s: user/123 answered again after %.2f s; kill -CONT: it came back as another member",
		m.name, back.Seconds()), nil
}

// replaced waits until others answer for what m has lost, and returns when
// user/123 did.
func (d *demo) replaced(ctx context.Context, m *member, before state, lost []cluster.Identity) (time.Duration, error) {
	from := time.Now()
	again, err := d.await(ctx, "user/123 does not answer", func(s state) bool { return s.answers[user123].Member != m.name })
	if err != nil {
		return 0, err
	}
	back := time.Since(from)
	d.board.tell("user/123 answers again, from %s, %.2f s after that", again.answers[user123].Member, back.Seconds())
	d.board.tell("its token is %s now, and was %s", text(again.answers[user123].Token), text(before.answers[user123].Token))
	after, err := d.await(ctx, "not all users of "+m.name+" answer from others", func(s state) bool { return s.hosts[m.name] == 0 })
	if err != nil {
		return 0, err
	}
	for _, id := range lost {
		if now, was := after.answers[id].Token, before.answers[id].Token; compare(now, was) <= 0 {
			return 0, fmt.Errorf("demo: %v answers under token %s, which is no newer than %s on %s", id, text(now), text(was), m.name)
		}
	}
	d.board.tell("its %d users answer from others, each under a newer token; %d visits failed meanwhile",
		len(lost), after.failures-before.failures)
	d.board.snapshot()
	return back, nil
}

// returned waits until m, that goes on, has its share as a new member.
func (d *demo) returned(ctx context.Context, m *member) error {
	from := time.Now()
	before, _ := d.load.state()
	if _, err := d.await(ctx, m.name+" does not come back", func(s state) bool { return s.hosts[m.name] > 0 }); err != nil {
		return err
	}
	back := time.Since(from)
	after, err := d.settle(ctx)
	if err != nil {
		return err
	}
	d.board.tell("%s is back as another member, %.2f s after that, and hosts %d users, each activated anew",
		m.name, back.Seconds(), after.hosts[m.name])
	d.board.tell("tokens that went backwards: %d of %d", after.audit.backwards, after.audit.checked)
	d.board.snapshot()
	for id, move := range moved(before, after) {
		if move[1] != m.name {
			return fmt.Errorf("demo: %v moved from %s to %s; only %s should gain", id, move[0], move[1], m.name)
		}
	}
	return nil
}

// of lists the users that m answered for last.
func of(m *member, s state) []cluster.Identity {
	var users []cluster.Identity
	for id, a := range s.answers {
		if a.Member == m.name {
			users = append(users, id)
		}
	}
	return users
}

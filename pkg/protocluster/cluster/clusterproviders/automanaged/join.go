package automanaged

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"
)

// rested is how long a seed is left alone that answered and is no member: it
// is known by another address.
const rested = 15 * time.Second

// target is one address that a seed stands for, or why it stands for none.
type target struct {
	seed string
	at   netip.AddrPort
	err  error
}

// enter joins the others. A node that listens on a seed, or whose cluster has
// none, may be the first; the others need somebody to let them in, who may be
// starting just now.
func (s *session) enter(ctx context.Context) error {
	start := time.Now()
	for pause := s.config.JoinRetry / 16; ; pause = min(2*pause, s.config.JoinRetry) {
		targets, founder := s.absent(ctx)
		attempts := s.join(ctx, targets)
		strangers := 0
		for _, a := range attempts {
			if _, ok := errors.AsType[*strangerError](a.Err); ok {
				strangers++
			}
		}
		_, others := s.roster.endpoints()
		waited := time.Since(start)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case others > 0, founder && strangers == 0:
			return nil
		case strangers > 0 && strangers == len(attempts), waited >= s.config.JoinTimeout:
			return &JoinError{Cluster: s.node.ClusterName(), Waited: waited, Attempts: attempts}
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// absent returns what the seeds stand for and is no member, and whether this
// node may be the first of its cluster.
func (s *session) absent(ctx context.Context) (targets []target, founder bool) {
	present, _ := s.roster.endpoints()
	seeds := s.config.Seeds
	if s.provider.lease != nil {
		seeds = s.provider.leases.of(s.node.ClusterName())
	}
	founder = s.leases() || len(seeds) == 0
	for _, seed := range seeds {
		addresses, err := resolve(ctx, s.node.Network(), seed)
		if err != nil {
			targets = append(targets, target{seed: seed, err: err})
		}
		for _, a := range addresses {
			founder = founder || a == s.transport.advertise
			if !present[a] {
				targets = append(targets, target{seed: seed, at: a})
			}
		}
	}
	return targets, founder && !s.node.Client()
}

// join calls every target at once. It returns nil as soon as one lets the node
// in, or else what came of each call. The session waits for those under way.
func (s *session) join(ctx context.Context, targets []target) []Attempt {
	attempts := make([]Attempt, len(targets))
	done := make(chan int, len(targets))
	for i, to := range targets {
		s.tasks.Go(func() {
			attempts[i] = Attempt{to.seed, s.call(to)}
			done <- i
		})
	}
	for range targets {
		select {
		case i := <-done:
			if attempts[i].Err == nil {
				return nil
			}
		case <-ctx.Done():
			return nil
		}
	}
	return attempts
}

// strangerError says that a seed belongs to another cluster.
type strangerError struct{ text string }

func (e *strangerError) Error() string { return e.text }

// call exchanges state with one target, which makes both know all that either
// does.
func (s *session) call(to target) error {
	if to.err != nil {
		return to.err
	}
	if _, err := s.list.Join([]string{to.at.String()}); err != nil {
		return explain(err, s.node.ClusterName())
	}
	if _, others := s.roster.endpoints(); others == 0 {
		return errors.New("it answers, but as this node itself")
	}
	return nil
}

// explain makes memberlist's error, which is a list of text, short and clear.
func explain(err error, name string) error {
	text := strings.Join(strings.Fields(err.Error()), " ")
	if _, after, ok := strings.Cut(text, "failed to join "); ok {
		_, text, _ = strings.Cut(after, ": ")
	}
	if len(text) > 300 {
		text = text[:300]
	}
	if _, after, ok := strings.Cut(text, foreign); ok {
		return &strangerError{fmt.Sprintf("%s%s, this node to %q", foreign, after, name)}
	}
	if text == "EOF" || strings.HasSuffix(text, "connection reset by peer") {
		text += ": it hung up, as something that is no membership endpoint does, or one of another cluster that has a SecretKey"
	}
	return errors.New(text)
}

// rejoin keeps calling the seeds that are not members until ctx ends: they may
// have started since, or be on the other side of a partition, which memberlist
// would never try to cross again.
func (s *session) rejoin(ctx context.Context) {
	called := map[netip.AddrPort]time.Time{}
	for {
		jitter := time.Duration(rand.Int64N(int64(s.config.JoinRetry)/4 + 1))
		select {
		case <-time.After(s.config.JoinRetry + jitter):
		case <-ctx.Done():
			return
		}
		targets, _ := s.absent(ctx)
		maps.DeleteFunc(called, func(_ netip.AddrPort, at time.Time) bool { return time.Since(at) >= rested })
		for _, to := range targets {
			if _, resting := called[to.at]; resting {
				continue
			}
			switch err := s.call(to); {
			case err == nil:
				called[to.at] = time.Now()
			case ctx.Err() != nil:
				return
			default:
				s.log.Debug("automanaged: a seed is not a member", "seed", to.seed, "error", err)
			}
		}
	}
}

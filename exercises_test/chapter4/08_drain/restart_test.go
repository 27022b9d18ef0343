package drain_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	drain "github.com/protocluster/workshop/chapters/chapter4/08_drain"
	"github.com/protocluster/workshop/exercises_test/internal/story"
	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

const (
	lag      = 30 * time.Millisecond  // the view is old for so long at most, and a message is under way
	again    = 20 * time.Millisecond  // after a refusal a client tries again
	patience = 500 * time.Millisecond // of a client with one request
	limit    = 10 * time.Second       // for the drain of one member
	users    = 12
	slow     = 2000 * time.Millisecond // is what a request to user/0 takes
)

// fleet is a cluster of servers that are replaced one after another, and clients.
type fleet struct {
	s     *story.Story
	mu    sync.Mutex
	views []fleetView // the last is the newest
	fault string      // what a client got that it could do nothing about; the first
}

// fleetView is who is up, from an instant on.
type fleetView struct {
	from time.Time
	up   []*server
}

// server is one member of the fleet: a drain.Member, and what its drainer
// protects.
type server struct {
	fleet  *fleet
	name   string
	drain  *drain.Drainer
	exited chan struct{} // closed when the process ends, with all that it has

	mu     sync.Mutex
	active map[cluster.Identity]*activation
}

// activation handles one message after another.
type activation struct {
	since    time.Time // it has started
	free     time.Time // it has handled all that was queued
	stopping bool
}

func newFleet(s *story.Story, servers int) *fleet {
	f := &fleet{s: s}
	for n := range servers {
		f.join(fmt.Sprint("n", n+1))
	}
	return f
}

func (f *fleet) join(name string) *server {
	sv := &server{fleet: f, name: name, exited: make(chan struct{}), active: make(map[cluster.Identity]*activation)}
	sv.drain = drain.New(sv)
	f.change(func(up []*server) []*server { return append(up, sv) })
	return sv
}

func (f *fleet) change(to func(up []*server) []*server) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var up []*server
	if len(f.views) > 0 {
		up = slices.Clone(f.views[len(f.views)-1].up)
	}
	f.views = append(f.views, fleetView{time.Now(), to(up)})
}

// owner is where id lives, as somebody sees it whose view is that old.
func (f *fleet) owner(id cluster.Identity, old time.Duration) (best *server) {
	f.mu.Lock()
	defer f.mu.Unlock()
	view := f.views[0]
	for _, v := range f.views {
		if time.Since(v.from) >= old {
			view = v
		}
	}
	var most uint64
	for _, sv := range view.up {
		h := fnv.New64a()
		fmt.Fprint(h, sv.name, " ", id)
		score := h.Sum64() * 0x9e3779b97f4a7c15
		if score ^= score >> 32; score >= most {
			best, most = sv, score
		}
	}
	return best
}

// Cordon implements drain.Member.
func (sv *server) Cordon(ctx context.Context) error {
	sv.fleet.s.Note(sv.name, "is cordoned")
	sv.fleet.change(func(up []*server) []*server {
		return slices.DeleteFunc(up, func(o *server) bool { return o == sv })
	})
	return pause(ctx, lag)
}

// Activations implements drain.Member.
func (sv *server) Activations() []cluster.Identity {
	sv.mu.Lock()
	defer sv.mu.Unlock()
	var ids []cluster.Identity
	for id, a := range sv.active {
		if !time.Now().Before(a.since) {
			ids = append(ids, id)
		}
	}
	return ids
}

// Stop implements drain.Member.
func (sv *server) Stop(ctx context.Context, id cluster.Identity) error {
	sv.mu.Lock()
	a := sv.active[id]
	if a == nil {
		sv.mu.Unlock()
		return nil
	}
	a.stopping = true
	left := time.Until(a.free)
	sv.mu.Unlock()
	if err := pause(ctx, left); err != nil {
		return err
	}
	sv.mu.Lock()
	defer sv.mu.Unlock()
	delete(sv.active, id)
	return nil
}

// Withdraw implements drain.Member: whoever is cordoned is out of these views.
func (sv *server) Withdraw(context.Context) error {
	sv.fleet.s.Note(sv.name, "withdraws")
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// serve has an activation handle a message, which takes so long, and starts it
// if need be.
func (sv *server) serve(id cluster.Identity, starting, takes time.Duration) error {
	select {
	case <-sv.exited:
		return fmt.Errorf("nobody listens at %s: %w", sv.name, actor.ErrNotDelivered)
	default:
	}
	sv.mu.Lock()
	a := sv.active[id]
	switch {
	case a != nil && a.stopping:
		sv.mu.Unlock()
		return fmt.Errorf("%s is stopping: %w", id, actor.ErrNotDelivered)
	case a == nil:
		if err := sv.drain.Admit(id); err != nil {
			sv.mu.Unlock()
			return err
		}
		a = &activation{since: time.Now().Add(starting), free: time.Now().Add(starting)}
		sv.active[id] = a
	}
	if now := time.Now(); a.free.Before(now) {
		a.free = now
	}
	a.free = a.free.Add(takes)
	end := a.free
	sv.mu.Unlock()
	select {
	case <-time.After(time.Until(end)):
		return nil
	case <-sv.exited:
		if !time.Now().Before(end) {
			return nil // both at this instant: a drain waits for nothing longer than it has to
		}
		return fmt.Errorf("%s exited while %s was active: %w", sv.name, id, actor.ErrUnknownOutcome)
	}
}

// restart replaces a server as operators do: the new one is up, the old one is
// drained, and its process ends.
func (f *fleet) restart(old *server, name string) error {
	f.join(name)
	f.s.Note(name, "is up")
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	err := old.drain.Drain(ctx)
	f.s.Note(old.name, "exits%s", suffix(err))
	close(old.exited)
	return err
}

// client sends requests, one after another, until ctx ends. The first client has
// a user of its own, whose requests take long.
func (f *fleet) client(ctx context.Context, first bool, r *rand.Rand) {
	random := func(most time.Duration) time.Duration { return time.Duration(1 + r.Int64N(int64(most))) }
	for ctx.Err() == nil {
		if first {
			f.request(user(0), slow, slow, random)
		} else {
			f.request(user(1+r.IntN(users)), random(20*time.Millisecond), patience, random)
		}
		_ = pause(ctx, random(100*time.Millisecond))
	}
}

// request sends a request until it was executed. It fails if nobody knows whether
// it was, or if that takes too long.
func (f *fleet) request(id cluster.Identity, takes, left time.Duration, random func(time.Duration) time.Duration) {
	end := time.Now().Add(left + takes)
	for {
		sv := f.owner(id, random(lag/2))
		_ = pause(context.Background(), random(lag/2)) // it is under way
		err := sv.serve(id, random(15*time.Millisecond), takes)
		switch {
		case err == nil:
			return
		case !errors.Is(err, actor.ErrNotDelivered):
		case time.Now().Before(end):
			_ = pause(context.Background(), again+random(again))
			continue
		default:
			err = fmt.Errorf("refused for %v: %w", left, err)
		}
		f.mu.Lock()
		if f.fault == "" {
			f.s.Note(sv.name, "a request to %s fails", id)
			f.fault = fmt.Sprintf("A request to %s failed at %s: %v.", id, sv.name, err)
		}
		f.mu.Unlock()
		return
	}
}

func TestDrain_ARollingRestartFailsNoRequest(t *testing.T) {
	story.Seeds(t, 20, "Three members are replaced one after another, and no request fails.", func(t *testing.T, s *story.Story, r *rand.Rand) {
		f := newFleet(s, 3)
		s.Need(f.views[0].up[0].drain.Admit(user(0)), story.Failure{Happened: "Admit refused, and nobody has called Drain.", Read: "nothing-new"})
		ctx, cancel := context.WithCancel(t.Context())
		var clients sync.WaitGroup
		for n := range 6 {
			random := rand.New(rand.NewPCG(r.Uint64(), uint64(n)))
			clients.Go(func() { f.client(ctx, n == 0, random) })
		}
		testkit.Advance(time.Second + time.Duration(r.Int64N(int64(slow))))
		first := slices.Clone(f.views[len(f.views)-1].up)
		var errs []error
		for n, old := range first {
			errs = append(errs, f.restart(old, fmt.Sprint("n", n+4)))
			testkit.Advance(500*time.Millisecond + time.Duration(r.Int64N(int64(500*time.Millisecond))))
		}
		cancel()
		clients.Wait()
		s.Need(errors.Join(errs...), story.Failure{Happened: "Drain failed within 10s, and nothing takes longer than 2s.", Lesson: "Every step went well.", Read: "the-steps"})
		if f.fault != "" {
			s.Fatal(story.Failure{
				Misconception: "the-view-comes-last", Happened: f.fault, Got: "a failed request", Want: "none, as nothing was killed",
				Lesson: "Where did the client think that it lives, and why? Who was still active when the process ended?", Read: "the-steps",
			})
		}
		for n, old := range first {
			if left := slices.Collect(maps.Keys(old.active)); len(left) > 0 {
				s.Fatal(story.Failure{
					Misconception: "looks-once", Happened: fmt.Sprintf("n%d has exited, and something was active there.", n+1), Got: left, Want: "nothing",
					Lesson: "What was let in before the drain may start in the middle of it.", Read: "the-steps",
				})
			}
		}
	})
}

// What is not guaranteed: a start that takes longer than the drain shows up when
// nobody looks any more.
func TestLedger_AStartUnderWay(t *testing.T) {
	story.Seeds(t, 10, "What was let in a moment before the drain, and is slow to start, is active nowhere that the drain sees it.",
		func(t *testing.T, s *story.Story, r *rand.Rand) {
			f := newFleet(s, 1)
			old := f.views[0].up[0]
			lost := make(chan error, 1)
			id := user(1 + r.IntN(users))
			s.Note(old.name, "starts %s, slowly", id)
			go func() {
				lost <- old.serve(id, time.Second+time.Duration(r.Int64N(int64(time.Second))), time.Millisecond)
			}()
			testkit.Advance(time.Millisecond)
			s.Need(f.restart(old, "n2"), story.Failure{Happened: "There was nothing to stop, and Drain failed.", Read: "the-steps"})
			err := <-lost
			s.Note(old.name, "request to %s: %v", id, err)
			if !errors.Is(err, actor.ErrUnknownOutcome) {
				s.Fatal(story.Failure{
					Happened: "A request that started an activation slowly was not lost.", Got: err, Want: "an actor.ErrUnknownOutcome",
					Lesson: "A Drainer knows what is active, and not what is about to be.", Read: "what-this-does-not-guarantee",
				})
			}
		})
}

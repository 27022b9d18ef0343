package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/protocluster/workshop/cmd/internal/gen/userpb"
	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

const (
	pause   = 50 * time.Millisecond  // between two visits of one user, in the story
	timeout = 500 * time.Millisecond // of one visit
)

// answer is what a user said last.
type answer struct {
	*userpb.Visited
	at time.Time
}

// load visits every user again and again, each in a goroutine of its own, and
// keeps what they answer.
type load struct {
	node   *cluster.Cluster
	pause  time.Duration // between two visits of one user
	cancel context.CancelFunc
	wait   sync.WaitGroup

	mu       sync.Mutex
	answers  map[cluster.Identity]answer
	answered int
	failed   map[string]int // by what is known of the outcome
	example  error          // the last failure
	audit    *audit         // nil where tokens are not to be expected
	changed  chan struct{}  // closed and replaced with each answer
}

// startLoad visits users until stop; fenced says that their answers have tokens.
func startLoad(ctx context.Context, node *cluster.Cluster, users []cluster.Identity, pause time.Duration, fenced bool) *load {
	ctx, cancel := context.WithCancel(ctx)
	l := &load{
		node:    node,
		pause:   pause,
		cancel:  cancel,
		answers: make(map[cluster.Identity]answer),
		failed:  make(map[string]int),
		changed: make(chan struct{}),
	}
	if fenced {
		l.audit = &audit{newest: make(map[cluster.Identity]*userpb.Visited)}
	}
	for _, id := range users {
		l.wait.Go(func() { l.visit(ctx, id) })
	}
	return l
}

// stop ends the visits and waits for those under way.
func (l *load) stop() {
	l.cancel()
	l.wait.Wait()
}

func (l *load) visit(ctx context.Context, id cluster.Identity) {
	select { // not all at the same time
	case <-time.After(rand.N(l.pause)):
	case <-ctx.Done():
	}
	next := time.NewTicker(l.pause)
	defer next.Stop()
	for ctx.Err() == nil {
		once, cancel := context.WithTimeout(ctx, timeout)
		reply, err := cluster.Request[*userpb.Visited](once, l.node, id, &userpb.Visit{})
		cancel()
		if ctx.Err() == nil {
			l.note(id, reply, err)
		}
		select {
		case <-ctx.Done():
		case <-next.C:
		}
	}
}

func (l *load) note(id cluster.Identity, reply *userpb.Visited, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.failed[outcome(err)]++
		l.example = err
		return
	}
	l.answered++
	l.answers[id] = answer{reply, time.Now()}
	if l.audit != nil {
		l.audit.check(id, reply)
	}
	close(l.changed)
	l.changed = make(chan struct{})
}

// outcome names what a caller knows after a failure.
func outcome(err error) string {
	switch {
	case errors.Is(err, actor.ErrUnknownOutcome):
		return "outcome unknown"
	case errors.Is(err, actor.ErrNotDelivered):
		return "not executed"
	}
	return "refused by the user"
}

// state is what the load knows at one moment.
type state struct {
	answers  map[cluster.Identity]answer
	hosts    map[string]int // users by the name of the member that answered last
	answered int
	failed   map[string]int
	failures int
	example  error
	audit    audit // without its map
}

func (l *load) state() (state, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := state{
		answers: make(map[cluster.Identity]answer, len(l.answers)), hosts: make(map[string]int),
		answered: l.answered, failed: make(map[string]int), example: l.example,
	}
	for id, a := range l.answers {
		s.answers[id] = a
		s.hosts[a.Member]++
	}
	for what, n := range l.failed {
		s.failed[what] = n
		s.failures += n
	}
	if l.audit != nil {
		s.audit = *l.audit
		s.audit.newest = nil
	}
	return s, l.changed
}

// await waits until ok holds of the state.
func (l *load) await(ctx context.Context, ok func(state) bool) (state, error) {
	for {
		s, changed := l.state()
		if ok(s) {
			return s, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return s, context.Cause(ctx)
		}
	}
}

// since reports whether every user has answered after t.
func (s state) since(users []cluster.Identity, t time.Time) bool {
	for _, id := range users {
		if !s.answers[id].at.After(t) {
			return false
		}
	}
	return true
}

package pidcache_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	pidcache "github.com/protocluster/workshop/chapters/chapter4/05_pidcache"
	"github.com/protocluster/workshop/exercises_test/internal/story"
	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

var (
	user1 = cluster.NewClusterIdentity("user", "1")
	user2 = cluster.NewClusterIdentity("user", "2")
	cart1 = cluster.NewClusterIdentity("cart", "1")
)

// at is the PID of an actor on the member of that number, which makes a new
// pointer each time, as PIDs do that come over the network.
func at(member int, id string) *actor.PID {
	return actor.NewPID(fmt.Sprintf("10.0.0.%d:8090", member), id)
}

const (
	usualReply  = "pong"
	usualBudget = 5 * time.Second
)

// What ends a Request that would not end: more tries than any budget has room
// for, or more time.
const (
	mostTries = 2000
	mostTime  = time.Minute
)

var (
	errRestless = errors.New("the test ends a request that tried 2000 times")
	errEndless  = errors.New("the test ends a request that goes on for a minute")
)

// world is a router, and the cache that is used with it.
type world struct {
	t     *testing.T
	s     *story.Story
	cache *pidcache.Cache
	began time.Time

	// The script. Calls are counted from 1.
	locate  func(nth int) (*actor.PID, error)
	deliver func(nth int, pid *actor.PID) (any, error)

	mu      sync.Mutex
	located int
	tries   []time.Duration // when each Deliver was, since the world began
}

// newWorld returns one in which everything is well: user/1 lives at member 1.
func newWorld(t *testing.T, s *story.Story) *world {
	return &world{
		t: t, s: s, cache: pidcache.New(), began: time.Now(),
		locate:  func(int) (*actor.PID, error) { return at(1, "user/1"), nil },
		deliver: func(int, *actor.PID) (any, error) { return usualReply, nil },
	}
}

func (w *world) Locate(context.Context, cluster.Identity) (*actor.PID, error) {
	w.mu.Lock()
	w.located++
	nth := w.located
	w.mu.Unlock()
	if err := w.enough(nth); err != nil {
		return nil, err
	}
	return w.locate(nth)
}

func (w *world) Deliver(_ context.Context, pid *actor.PID, _ any) (any, error) {
	w.mu.Lock()
	w.tries = append(w.tries, time.Since(w.began))
	nth := len(w.tries)
	w.mu.Unlock()
	if err := w.enough(nth); err != nil {
		return nil, err
	}
	return w.deliver(nth, pid)
}

func (w *world) enough(nth int) error {
	switch {
	case nth > mostTries:
		return errRestless
	case time.Since(w.began) > mostTime:
		return errEndless
	}
	return nil
}

// request asks user/1 for the answer, within a budget.
func (w *world) request(budget time.Duration) (any, error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), budget)
	defer cancel()
	return pidcache.Request(ctx, w.cache, w, user1, "ping")
}

// bounded is request for what may not end by itself.
func (w *world) bounded(budget time.Duration) (any, error) {
	w.t.Helper()
	before := len(w.tries)
	reply, err := w.request(budget)
	if errors.Is(err, errRestless) {
		w.s.Fatal(story.Failure{
			Misconception: "no-pause",
			Happened:      fmt.Sprintf("user/1 did not answer, and had to refuse %d messages of one caller within %v.", len(w.tries)-before, (w.tries[len(w.tries)-1] - w.tries[before]).Round(time.Millisecond)),
			Lesson:        "Whoever is overloaded is not helped by callers that ask without pause.",
			Read:          "the-pauses",
		})
	}
	return reply, err
}

// early fails for a request that ended with an error while there was time left.
func (w *world) early(err error, took, budget time.Duration) {
	w.t.Helper()
	if err != nil && took < budget {
		w.s.Fatal(story.Failure{
			Misconception: "three-times-is-enough",
			Happened:      fmt.Sprintf("user/1 did not answer. The request had %v and gave up after %v.", budget, took.Round(time.Millisecond)),
			Got:           fmt.Sprintf("%v, after tries at %s", err, w.when(1)), Want: "tries until the time is up",
			Lesson: "A number of tries is no length of time. The caller has said how long it waits.",
			Read:   "the-budget",
		})
	}
}

// works requires that a request is answered.
func (w *world) works(why string) {
	w.t.Helper()
	reply, err := w.request(usualBudget)
	if w.s.Need(w.s.Did("Request(user/1)", err), story.Failure{
		Happened: why, Lesson: "Look into the cache, else ask the router; then deliver.", Read: "what-to-write",
	}); reply != usualReply {
		w.s.Fatal(story.Failure{Happened: "Request returned something else than the actor's reply.", Got: reply, Want: usualReply, Lesson: "Hand the reply on.", Read: "what-to-write"})
	}
}

// counts requires so many look-ups and deliveries.
func (w *world) counts(lookUps, deliveries int, f story.Failure) {
	w.t.Helper()
	w.mu.Lock()
	located, tried := w.located, len(w.tries)
	w.mu.Unlock()
	if located != lookUps || tried != deliveries {
		f.Got = fmt.Sprintf("%d look-ups, %d deliveries", located, tried)
		f.Want = fmt.Sprintf("%d look-ups, %d deliveries", lookUps, deliveries)
		w.s.Fatal(f)
	}
}

// when tells of the tries from that one on.
func (w *world) when(from int) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var times []string
	for _, at := range w.tries[min(from, len(w.tries)):] {
		times = append(times, at.Round(time.Millisecond).String())
	}
	const most = 10
	if n := len(times); n > most {
		times = append(times[:most], fmt.Sprintf("… %d in all", n))
	}
	return strings.Join(times, " ")
}

// pauses are those between the tries from that one on.
func (w *world) pauses(from int) []time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	var pauses []time.Duration
	for i := from + 1; i < len(w.tries); i++ {
		pauses = append(pauses, w.tries[i]-w.tries[i-1])
	}
	return pauses
}

// The errors of the library, as a router passes them on.
var (
	errStopped = fmt.Errorf("%w: user/1", actor.ErrStopped)
	errUnknown = &actor.TimeoutError{After: time.Second, Class: actor.ErrUnknownOutcome}
	errOwn     = &actor.ReplyError{Err: errors.New("the account is frozen")}
)

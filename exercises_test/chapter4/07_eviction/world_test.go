package eviction_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	eviction "github.com/protocluster/workshop/chapters/chapter4/07_eviction"
	"github.com/protocluster/workshop/exercises_test/internal/story"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

const (
	idle  = 10 * time.Second
	sweep = time.Second
	tick  = sweep / 4 // the test acts between two sweeps
)

func user(n int) cluster.Identity { return cluster.NewClusterIdentity("user", fmt.Sprint(n)) }

// world is a member that does nothing but what the test says, and whom its
// Passivator has stopped.
type world struct {
	*eviction.Passivator
	t      *testing.T
	s      *story.Story
	began  time.Time
	cancel context.CancelFunc // ends Run
	ran    chan struct{}      // closed when it has
	over   chan struct{}      // closed when the test ends

	lingers bool // who is stopped does not end before the test says so

	mu      sync.Mutex
	stopped []stop
	dying   map[cluster.Identity]bool
	twice   string // the first that was stopped when it was being stopped
}

type stop struct {
	id cluster.Identity
	at time.Duration
}

func newWorld(t *testing.T, s *story.Story, policy eviction.Policy) *world {
	w := &world{t: t, s: s, began: time.Now(), ran: make(chan struct{}), over: make(chan struct{}),
		dying: make(map[cluster.Identity]bool)}
	w.Passivator = eviction.New(policy, w.stop)
	ctx, cancel := context.WithCancel(t.Context())
	w.cancel = cancel
	go func() {
		defer close(w.ran)
		w.Run(ctx)
	}()
	t.Cleanup(func() { close(w.over) })
	w.pass(tick) // from here on between two sweeps
	return w
}

// stop is what the Passivator calls. An actor without messages ends at once.
func (w *world) stop(id cluster.Identity) {
	w.s.Note(id.String(), "is stopped")
	w.mu.Lock()
	w.stopped = append(w.stopped, stop{id, time.Since(w.began)})
	if w.dying[id] && w.twice == "" {
		w.twice = id.String()
	}
	w.dying[id] = true
	w.mu.Unlock()
	if w.lingers {
		return
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.end(id)
	}()
	select {
	case <-ended:
	case <-w.over:
	}
}

// end has an actor end, and returns what was held back for it.
func (w *world) end(id cluster.Identity) []any {
	w.mu.Lock()
	delete(w.dying, id)
	w.mu.Unlock()
	held := w.Ended(id)
	w.s.Note(id.String(), "has ended, %d wait", len(held))
	return held
}

// pass lets d pass, up to a tick.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	for end := w.now() + d; w.now() < end; {
		<-time.After(tick - w.now()%tick)
		w.s.Settle(story.Failure{
			Misconception: "stops-under-its-lock",
			Happened:      "Somebody waits for a lock that is not given back: stop was called with it, or it was never unlocked.",
			Lesson:        "stop belongs to somebody else, who may call you back before it returns: an actor without messages ends at once. Decide under the lock, act without it.",
			Read:          "stop-is-not-yours",
		})
		w.mu.Lock()
		twice := w.twice
		w.mu.Unlock()
		if twice != "" {
			w.s.Fatal(story.Failure{
				Misconception: "stops-each-sweep",
				Happened:      fmt.Sprintf("%s was being stopped, had not ended yet, and was stopped again.", twice),
				Lesson:        "Whoever is being stopped is stopped already. Remember that, or each sweep queues one more poison pill.",
				Read:          "who-is-idle",
			})
		}
	}
}

// start has an actor begin.
func (w *world) start(id cluster.Identity) {
	w.t.Helper()
	if err := w.Started(id); err != nil {
		w.s.Need(w.s.Did(fmt.Sprintf("Started(%s)", id), err), story.Failure{
			Happened: fmt.Sprintf("Started refused %s, although no actor of it lives.", id), Lesson: "One after the other is fine.", Read: "one-after-the-other",
		})
	}
	w.s.Note(id.String(), "starts")
}

// queue has a message arrive, which requires that the actor takes it.
func (w *world) queue(id cluster.Identity, message any) {
	w.t.Helper()
	w.s.Note(id.String(), "gets %v", message)
	if w.Deliver(id, message) {
		w.s.Fatal(story.Failure{
			Happened: fmt.Sprintf("A message for %s was held back, although its actor lives and is not being stopped.", id), Lesson: "Only whoever stops gets nothing more.", Read: "the-gap",
		})
	}
}

func (w *world) handle(id cluster.Identity, message any) {
	w.s.Note(id.String(), "has handled %v", message)
	w.Handled(id, message)
}

func (w *world) use(id cluster.Identity, message any) {
	w.t.Helper()
	w.queue(id, message)
	w.handle(id, message)
}

// order returns who was stopped, one after the other.
func (w *world) order() (ids []cluster.Identity) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.stopped {
		ids = append(ids, s.id)
	}
	return ids
}

func (w *world) whom() string { return fmt.Sprint(w.order()) }

func (w *world) stops() int { return len(w.order()) }

// spared requires that id was not stopped.
func (w *world) spared(id cluster.Identity, f story.Failure) {
	w.t.Helper()
	w.mu.Lock()
	i := slices.IndexFunc(w.stopped, func(s stop) bool { return s.id == id })
	w.mu.Unlock()
	if i >= 0 {
		f.Got, f.Want = fmt.Sprintf("stopped after %v", w.stopped[i].at), "not stopped yet"
		w.s.Fatal(f)
	}
}

// evicted requires that id was stopped, idle after since or up to one sweep later.
func (w *world) evicted(id cluster.Identity, since time.Duration, f story.Failure) {
	w.t.Helper()
	w.mu.Lock()
	all := slices.DeleteFunc(slices.Clone(w.stopped), func(s stop) bool { return s.id != id })
	w.mu.Unlock()
	f.Want = fmt.Sprintf("stopped from %v to %v", since+idle, since+idle+sweep)
	switch {
	case len(all) == 0:
		f.Got = "not stopped"
	case all[0].at < since+idle || all[0].at > since+idle+sweep:
		f.Got = fmt.Sprintf("stopped at %v", all[0].at)
	default:
		return
	}
	w.s.Fatal(f)
}

// now is the time since the world began.
func (w *world) now() time.Duration { return time.Since(w.began) }

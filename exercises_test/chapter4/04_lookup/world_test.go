package lookup_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	lookup "github.com/protocluster/workshop/chapters/chapter4/04_lookup"
	"github.com/protocluster/workshop/exercises_test/internal/story"
	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// patience is how long a caller waits. A start takes less than a second.
const patience = 5 * time.Second

// world is three members, and what they have started. Unless a test says
// otherwise n1 owns everything.
type world struct {
	t     *testing.T
	s     *story.Story
	nodes []*node
	over  chan struct{} // closed when the test ends: nothing takes time any more

	// The script, set before the world is used. Starts are counted from 1.
	owner func(asked *node, id cluster.Identity) (cluster.Member, error)
	start func(id cluster.Identity, nth int) (takes time.Duration, fault error)
	whole bool                                               // starts go on when their context ends
	ready func(n *node, id cluster.Identity, pid *actor.PID) // called before Start returns

	mu     sync.Mutex
	starts map[cluster.Identity]int // all that began
	here   map[cluster.Identity]int // those that start or live
	most   map[cluster.Identity]int // that there were at once
}

func newWorld(t *testing.T, s *story.Story) *world {
	w := &world{t: t, s: s, over: make(chan struct{}),
		starts: make(map[cluster.Identity]int), here: make(map[cluster.Identity]int), most: make(map[cluster.Identity]int)}
	for i := range 3 {
		n := &node{world: w, self: cluster.Member{ID: fmt.Sprintf("n%d", i+1), Address: fmt.Sprintf("10.0.0.%d:8090", i+1), Status: cluster.Up}}
		n.Locator = lookup.New(n)
		w.nodes = append(w.nodes, n)
	}
	w.owner = func(*node, cluster.Identity) (cluster.Member, error) { return w.nodes[0].self, nil }
	w.start = func(cluster.Identity, int) (time.Duration, error) { return 100 * time.Millisecond, nil }
	w.ready = func(*node, cluster.Identity, *actor.PID) {}
	t.Cleanup(func() { close(w.over) })
	return w
}

// node is one member: what its Locator sees of it, and the Locator.
type node struct {
	*lookup.Locator
	world *world
	self  cluster.Member
}

func (n *node) Self() cluster.Member { return n.self }

func (n *node) Owner(id cluster.Identity) (cluster.Member, error) { return n.world.owner(n, id) }

func (n *node) Ask(ctx context.Context, m cluster.Member, id cluster.Identity) (*actor.PID, error) {
	if m.ID == n.self.ID {
		return nil, fmt.Errorf("%s asks itself, over the network", m.ID)
	}
	for _, other := range n.world.nodes {
		if other.self.ID == m.ID {
			return other.Serve(ctx, id)
		}
	}
	return nil, fmt.Errorf("no member is called %q", m.ID)
}

func (n *node) Start(ctx context.Context, id cluster.Identity) (*actor.PID, error) {
	w := n.world
	nth := w.begin(id)
	w.s.Note(n.self.ID, "starts %s", id)
	takes, err := w.start(id, nth)
	if w.whole {
		ctx = context.WithoutCancel(ctx)
	}
	if stopped := w.wait(ctx, takes); stopped != nil {
		err = stopped
	}
	if err != nil {
		w.s.Note(n.self.ID, "start fails: %v", err)
		w.end(id)
		return nil, err
	}
	pid := actor.NewPID(n.self.Address, fmt.Sprintf("%s#%d", id, nth))
	w.s.Note(n.self.ID, "%s lives", pid.ID)
	w.ready(n, id, pid)
	return pid, nil
}

// wait lets d pass; without it nothing else happens meanwhile.
func (w *world) wait(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return nil
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-w.over:
		return errors.New("the test is over")
	}
}

func (w *world) begin(id cluster.Identity) (nth int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.starts[id]++
	w.here[id]++
	w.most[id] = max(w.most[id], w.here[id])
	return w.starts[id]
}

func (w *world) end(id cluster.Identity) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.here[id]--
}

// news tells n that an actor has ended, as it learns it from elsewhere; heard is
// closed when that is done.
func (w *world) news(n *node, id cluster.Identity, pid *actor.PID) (heard <-chan struct{}) {
	w.s.Note(n.self.ID, "%s has ended", pid.ID)
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.Ended(id, actor.NewPID(pid.Address, pid.ID))
	}()
	return done
}

// started returns how often id was started, and how many of its actors there
// were at once.
func (w *world) started(id cluster.Identity) (times, atOnce int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.starts[id], w.most[id]
}

// caller is somebody who waits for a PID.
type caller struct {
	done  chan struct{}
	pid   *actor.PID
	err   error
	after time.Duration // that it waited
}

// call has a caller ask n, and returns when it waits or is done.
func (w *world) call(n *node, id cluster.Identity, patience time.Duration) *caller {
	w.t.Helper()
	w.s.Note("callers", "ask %s for %s", n.self.ID, id)
	c := w.dial(n, id, patience)
	w.settle()
	return c
}

func (w *world) dial(n *node, id cluster.Identity, patience time.Duration) *caller {
	c := &caller{done: make(chan struct{})}
	go func() {
		defer close(c.done)
		ctx, cancel := context.WithTimeout(w.t.Context(), patience)
		defer cancel()
		began := time.Now()
		c.pid, c.err = n.Locate(ctx, id)
		c.after = time.Since(began)
	}()
	return c
}

// settle ends the test if somebody holds a lock and waits.
func (w *world) settle() {
	w.t.Helper()
	w.s.Settle(story.Failure{
		Misconception: "one-lock-for-all",
		Happened:      "Somebody waits for a lock that is not given back while an actor starts.",
		Lesson:        "Whoever holds that lock waits for an actor, and with it everybody else on this member; or it was never unlocked. Hold it to look and to note, not to wait.",
		Read:          "a-lock-is-not-a-queue",
	})
}

// answer waits for what the caller gets.
func (w *world) answer(c *caller) (*actor.PID, error) {
	w.t.Helper()
	w.await(c)
	return c.pid, c.err
}

func (w *world) await(c *caller) {
	w.t.Helper()
	const tick = 5 * time.Millisecond // a start ends with one of them
	for began := time.Now(); time.Since(began) < 2*patience; w.settle() {
		select {
		case <-c.done:
			return
		case <-time.After(tick):
		}
	}
	w.s.Fatal(story.Failure{
		Happened: "A caller got no answer at all, neither the PID nor the end of its patience.",
		Lesson:   "Somebody has to tell those who wait, whether the start went well or not; and whose context has ended waits no longer.", Read: "what-to-write",
	})
}

// locate asks n and requires an answer.
func (w *world) locate(n *node, id cluster.Identity) *actor.PID {
	w.t.Helper()
	pid, err := w.answer(w.call(n, id, patience))
	w.need(pid, err)
	return pid
}

// need requires that a caller got a PID.
func (w *world) need(pid *actor.PID, err error) {
	w.t.Helper()
	if err == nil && pid == nil {
		err = errors.New("neither a PID nor an error")
	}
	w.s.Need(err, story.Failure{
		Happened: "A caller did not get the PID, although nothing went wrong.", Lesson: "The owner starts the actor, once, and everybody gets its PID.", Read: "what-to-write",
	})
}

// once requires that id was started that often, one after the other.
func (w *world) once(id cluster.Identity, times int, f story.Failure) {
	w.t.Helper()
	if n, atOnce := w.started(id); n != times || atOnce > 1 {
		f.Got = fmt.Sprintf("starts of %s: %d, actors at once: %d", id, n, atOnce)
		f.Want = fmt.Sprintf("starts of %s: %d, actors at once: 1", id, times)
		w.s.Fatal(f)
	}
}

package eviction_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	eviction "github.com/protocluster/workshop/chapters/chapter4/07_eviction"
	"github.com/protocluster/workshop/exercises_test/internal/story"
	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// job is a message for a real actor. Those for one identity are numbered.
type job struct {
	id    cluster.Identity
	nth   int
	takes time.Duration
}

func (j job) String() string { return fmt.Sprint("job ", j.nth) }

// host is a member with real actors, which does what the Passivator says.
type host struct {
	s          *story.Story
	system     *actor.System
	passivator *eviction.Passivator

	mu     sync.Mutex                      // one at a time: to queue, to start, to end
	starts int                             // guarded by mu, as are living and fault
	living map[cluster.Identity]*actor.PID // from start to end
	fault  string                          // the first that was seen

	doing  sync.Mutex // guards what follows, and pids
	pids   map[cluster.Identity]*actor.PID
	done   map[cluster.Identity][]int // jobs by number, as they were done
	ending map[cluster.Identity]int   // how often it was stopped
}

func newHost(t *testing.T, s *story.Story, policy eviction.Policy) *host {
	// Each actor that blocks has a worker, so that when it begins is not up to the machine.
	h := &host{s: s, system: actor.NewSystem(actor.WithLogger(slog.New(slog.DiscardHandler)), actor.WithWorkers(8)),
		living: make(map[cluster.Identity]*actor.PID), pids: make(map[cluster.Identity]*actor.PID),
		done: make(map[cluster.Identity][]int), ending: make(map[cluster.Identity]int)}
	h.passivator = eviction.New(policy, h.stop)
	var running sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	running.Go(func() { h.passivator.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		_ = h.system.Shutdown(context.WithoutCancel(t.Context())) // actors end by themselves
		running.Wait()
	})
	return h
}

// send queues a job, for the actor that lives or else for a new one.
func (h *host) send(j job) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.living[j.id] == nil {
		h.start(j.id)
	}
	h.queue(j)
}

// queue is send once somebody lives; h.mu is held.
func (h *host) queue(j job) {
	if h.passivator.Deliver(j.id, j) {
		h.s.Note(j.id.String(), "%v waits for the next", j)
		return
	}
	h.s.Note(j.id.String(), "%v is queued", j)
	h.system.Send(h.living[j.id], j)
}

// start begins an actor; h.mu is held.
func (h *host) start(id cluster.Identity) {
	if err := h.passivator.Started(id); err != nil {
		h.fail("Started(%s): %v", id, err)
	}
	h.s.Note(id.String(), "starts")
	h.starts++
	props := actor.PropsFromFunc(h.receive, actor.WithAfterStop(func(_ *actor.PID, _ error, _ bool, lost []actor.Envelope) { h.ended(id, lost) }))
	pid, err := h.system.SpawnNamed(props, fmt.Sprint(id, "#", h.starts))
	if err != nil {
		h.fail("%v", err)
	}
	h.living[id] = pid
	h.doing.Lock()
	defer h.doing.Unlock()
	h.pids[id] = pid
}

// receive does jobs. An actor that stops saves its state, which takes a while.
func (h *host) receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case job:
		<-time.After(m.takes)
		h.doing.Lock()
		h.done[m.id] = append(h.done[m.id], m.nth)
		h.doing.Unlock()
		h.passivator.Handled(m.id, m)
	case *actor.Stopping:
		<-time.After(saving)
	}
}

const saving = 330 * time.Millisecond

// stop is what the Passivator calls, at any time.
func (h *host) stop(id cluster.Identity) {
	h.doing.Lock()
	pid := h.pids[id]
	h.ending[id]++
	h.doing.Unlock()
	h.s.Note(id.String(), "gets a poison pill")
	h.system.Poison(pid)
}

// ended starts the next actor if there is something for it to do.
func (h *host) ended(id cluster.Identity, lost []actor.Envelope) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(lost) > 0 {
		h.fail("%v of %s was queued behind the poison pill", lost[0].Message, id)
	}
	held := h.passivator.Ended(id)
	h.s.Note(id.String(), "has ended")
	delete(h.living, id)
	if len(held) == 0 {
		return
	}
	h.start(id)
	for _, m := range held {
		h.queue(m.(job))
	}
}

// fail remembers the first fault; h.mu is held.
func (h *host) fail(format string, args ...any) {
	if h.fault == "" {
		h.fault = fmt.Sprintf(format, args...)
	}
}

func (h *host) faults() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.fault
}

package testkit

import (
	"sync"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
)

// Probe is an actor for tests: it keeps what it is sent until the test asks for
// it, and sends as itself. Its own lifecycle messages are not kept; *Terminated
// and *ReceiveTimeout are. Its methods may be called concurrently; Expect,
// FishFor and ExpectNothing, which may end the test, only by its goroutine.
type Probe struct {
	// Patience is how long Expect and FishFor wait; 0 means one second. Set it
	// before the probe is used.
	Patience time.Duration

	t    testing.TB // nil: made by NewTestProbe
	born time.Time

	mu      sync.Mutex
	changed *sync.Cond
	system  *actor.System // nil until it is spawned, as is self
	self    *actor.PID
	running bool             // early is done with
	early   []func()         // sent before the probe runs
	queue   []actor.Envelope // not asked for yet
	last    actor.Envelope   // asked for last
	story   []arrival        // the latest of all that came
	earlier int              // how many came before story
}

// arrival is one message in the story that a failure tells.
type arrival struct {
	after    time.Duration
	envelope actor.Envelope
}

// command is a message that has the probe's actor do something itself.
type command func(actor.Context)

// NewProbe spawns a probe. What it expects and does not get ends the test t and
// says what came instead.
func NewProbe(t testing.TB, system *actor.System) *Probe {
	t.Helper()
	p := newProbe()
	p.t = t
	if system.Spawn(p.Props()) == nil {
		t.Fatal("testkit: the system has been shut down; make the probe before that")
	}
	return p
}

func newProbe() *Probe {
	p := &Probe{born: time.Now()}
	p.changed = sync.NewCond(&p.mu)
	return p
}

// Props spawn the probe: once, as it is one actor.
func (p *Probe) Props() *actor.Props {
	return actor.PropsFromProducer(func() actor.Actor { return p })
}

// Receive implements actor.Actor.
func (p *Probe) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		p.start(ctx)
	case command:
		m(ctx)
	default:
		p.record(ctx.Envelope())
	}
}

// start sends what the test sent before, in order, and then lets it send
// directly.
func (p *Probe) start(ctx actor.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.system, p.self = ctx.System(), ctx.Self()
	for len(p.early) > 0 {
		early := p.early
		p.early = nil
		p.mu.Unlock()
		for _, act := range early {
			act()
		}
		p.mu.Lock()
	}
	p.running = true
	p.changed.Broadcast()
}

func (p *Probe) record(e actor.Envelope) {
	switch e.Message.(type) {
	case *actor.Started, *actor.Stopping, *actor.Stopped, *actor.Restarting:
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = append(p.queue, e)
	if len(p.story) == longestStory {
		p.story = p.story[1:]
		p.earlier++
	}
	p.story = append(p.story, arrival{after: time.Since(p.born), envelope: e})
	p.changed.Broadcast()
}

// PID is the probe's. It waits until the probe runs; nil means that it was not
// spawned within its Patience.
func (p *Probe) PID() *actor.PID {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wait(time.Now().Add(p.patience(0)), func() bool { return p.self != nil })
	return p.self
}

// Send sends message to an actor, which cannot reply.
func (p *Probe) Send(to *actor.PID, message any) {
	p.act(func() { p.system.Send(to, message) })
}

// Request sends message to an actor, whose reply comes to the probe.
func (p *Probe) Request(to *actor.PID, message any) {
	p.act(func() {
		_ = p.system.SendEnvelope(to, actor.Envelope{Message: message, Sender: p.self}) // refused: a dead letter
	})
}

// Respond replies to the sender of the message that the test took last.
func (p *Probe) Respond(message any) { p.Send(p.Sender(), message) }

// Forward sends that message on to an actor as if its sender had.
func (p *Probe) Forward(to *actor.PID) {
	p.mu.Lock()
	e := p.last
	p.mu.Unlock()
	p.act(func() { _ = p.system.SendEnvelope(to, e) }) // refused: a dead letter
}

// Sender sent that message; nil is nobody.
func (p *Probe) Sender() *actor.PID {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last.Sender
}

// Watch has *Terminated sent to the probe when the actor ends.
func (p *Probe) Watch(pid *actor.PID) {
	p.act(func() { p.system.Send(p.self, command(func(ctx actor.Context) { ctx.Watch(pid) })) })
}

// Unwatch takes a Watch back.
func (p *Probe) Unwatch(pid *actor.PID) {
	p.act(func() { p.system.Send(p.self, command(func(ctx actor.Context) { ctx.Unwatch(pid) })) })
}

// act does f now, or in its turn when the probe starts.
func (p *Probe) act(f func()) {
	p.mu.Lock()
	if !p.running {
		p.early = append(p.early, f)
		p.mu.Unlock()
		return
	}
	p.mu.Unlock()
	f()
}

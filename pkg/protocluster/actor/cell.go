package actor

import (
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/dispatch"
	"github.com/protocluster/workshop/pkg/protocluster/internal/lifetime"
	"github.com/protocluster/workshop/pkg/protocluster/internal/mpsc"
)

const (
	// turnBudget bounds the messages that an actor handles before others get
	// their turn.
	turnBudget = 300
	// defaultMailboxLimit bounds the memory of a mailbox that nobody limits: to
	// 32 MB of what waits.
	defaultMailboxLimit = 1 << 20
	// Buffers for more than lean messages are given back when the actor is
	// idle after linger; regrowing them for each burst would cost more.
	lean   = 8
	linger = 10 * time.Second
)

// phase is where a cell stands in its life.
type phase uint8

const (
	unborn     phase = iota // spawned, *Started not yet handled
	running                 // handles messages
	failing                 // waits for its supervisor's directive
	restarting              // waits for its children to end before a new instance starts
	stopping                // waits for its children to end before it ends itself
	ended
)

// cell runs one actor. An actor that has nothing to do is this struct, the
// user's value and its name in the registry: no goroutine, no buffers.
//
// Only the turn that a worker gives it touches the paragraph "turn"; there is
// never more than one. What senders write for each message, what they only read
// and what a turn writes for each are on cache lines of their own.
type cell struct {
	user        mpsc.Queue[any, attached]
	waiting     atomic.Int32  // what waits in user and run, kept only with a mailbox limit
	work        atomic.Uint32 // idle, busy or over
	limit       int32         // of the mailbox; 0: the default
	incarnation uint32        // counts the instances, in turn

	pid    PID
	system *System
	props  *Props // an actor's own, if it is virtual: what each message needs of them is here

	dispatch.Job
	sys     mpsc.List[SystemMessage]
	parent  *cell    // nil for a root actor
	guard   Guard    // nil: none
	guarded *guarded // around this, with a guard

	// turn
	alerts   atomic.Int32 // what waits in sys, and 1 until the actor has started; anybody adds to it
	phase    phase
	trimming bool              // a trim will come
	held     bool              // the guard said no, and nobody has called Resume since
	wraps    bool              // there is middleware for what it sends
	life     lifetime.Lifetime // whose Suspend, Stop and Kill anybody may call
	actor    Actor
	receive  ReceiveFunc // nil: actor.Receive, without middleware
	run      messages    // taken from user
	telling  any         // the lifecycle message that is being handled, nil while a message of run is
	more     *rare
}

// messages are some that wait, in order.
type messages = mpsc.Run[any, attached]

// attached is what comes with a message.
type attached struct {
	sender *PID
	meta   *Meta
}

// What a cell's work is.
const (
	idle uint32 = iota
	busy        // in the run queue, or having its turn
	over        // takes no more messages
)

// rare is what most actors never need.
type rare struct {
	children  map[*cell]struct{}
	watchers  map[pidKey]*PID
	watching  map[pidKey]*PID
	behaviors []ReceiveFunc
	stash     messages
	timer     *receiveTimer
	failures  map[*cell][]time.Time // of its children; of a root actor itself
	lastUsed  time.Time
	reason    error // why it stops, if it failed; rare is there by then
}

func (c *cell) extra() *rare {
	if c.more == nil {
		c.more = new(rare)
	}
	return c.more
}

// post queues a message, or says why it cannot. What the actor needs in order
// to go on or to end is not subject to the mailbox limit.
func (c *cell) post(e Envelope) error {
	free, room := private(e.Message), defaultMailboxLimit
	if free || c.limit > 0 {
		room = math.MaxInt
	}
	if c.limit > 0 && c.waiting.Add(1) > c.limit && !free {
		c.waiting.Add(-1)
		room = 0
	}
	err := c.user.Push(e.Message, attached{e.Sender, e.Meta}, room)
	if errors.Is(err, mpsc.ErrFull) {
		return &RejectedError{Reason: ErrMailboxFull}
	} else if err != nil {
		return ErrStopped
	}
	c.wake()
	return nil
}

// private reports whether message concerns only the actor that it was sent to.
func private(message any) bool {
	switch message.(type) {
	case *PoisonPill, *continuation, *Terminated:
		return true
	}
	return false
}

// postSystem queues m ahead of all messages; false if the actor has ended.
func (c *cell) postSystem(m SystemMessage) bool {
	if !c.sys.Push(m) {
		return false
	}
	c.alerts.Add(1)
	if _, ok := m.(*Stop); ok {
		c.life.Stop()
	}
	c.wake()
	return true
}

// wake asks for a turn unless one is already due.
func (c *cell) wake() {
	if c.work.Load() == idle && c.work.CompareAndSwap(idle, busy) {
		c.system.workers.Push(&c.Job)
	}
}

// TakeTurn handles what waits, as far as the budget goes. A panic ends it early; so
// does a handler that ends its goroutine, when only what is deferred still runs.
func (c *cell) TakeTurn() {
	finished := false
	defer func() {
		if !finished {
			c.failed(recover())
		}
		c.pause()
	}()
	for range turnBudget {
		for c.alerts.Load() != 0 && c.phase != ended {
			c.handleSystem()
		}
		if c.phase != running || c.run.Empty() && !c.fetch() || !c.admitted() {
			break
		}
		if c.limit > 0 {
			c.waiting.Add(-1)
		}
		c.deliver()
	}
	finished = true
}

// pause ends a turn, and asks for another if something is left.
func (c *cell) pause() {
	if c.phase == ended {
		return // its work is over
	}
	runnable, left := c.phase == running && !c.held, !c.run.Empty()
	c.work.Store(idle) // from here on another turn may begin
	if c.alerts.Load() != 0 || runnable && (left || !c.user.Empty()) {
		c.wake()
	}
}

// fetch takes what has gathered; false if there is nothing.
func (c *cell) fetch() bool {
	roomy := c.run.Roomy(lean)
	c.user.Swap(&c.run)
	if (roomy || c.run.Roomy(lean)) && !c.trimming {
		c.trimming = true
		time.AfterFunc(linger, func() { c.postSystem(inTurn(c.trim)) })
	}
	return !c.run.Empty()
}

// trim gives back the buffers if nothing waits; else the next fetch sees to it.
func (c *cell) trim() {
	c.trimming = false
	c.user.Trim(&c.run)
}

// deliver hands one message to the actor, and forgets it.
func (c *cell) deliver() {
	message, with := c.run.Next()
	switch m := message.(type) {
	case *PoisonPill:
		c.beginStop(nil)
	case *continuation:
		if c.guarded != nil {
			c.guarded.replies.Reopen(m.number)
		}
		if m.incarnation == c.incarnation {
			m.then(m.value, m.err)
		}
	default:
		c.invoke(Context{cell: c, message: message, sender: with.sender, meta: with.meta, number: c.life.Number()})
	}
	if c.guarded != nil {
		c.returned(with.sender)
	}
	if c.more != nil && c.more.timer != nil {
		if _, quiet := message.(NotInfluenceReceiveTimeout); !quiet {
			c.more.lastUsed = time.Now()
		}
	}
	c.run.Done()
}

func (c *cell) invoke(ctx Context) {
	if c.receive != nil {
		c.receive(ctx)
		return
	}
	c.actor.Receive(ctx)
}

// tell hands a lifecycle message to the actor, or after a Kill the last alone.
func (c *cell) tell(message any) {
	if _, last := message.(*Stopped); c.life.Killed() && !last {
		return
	}
	c.telling = message
	ctx := Context{cell: c, message: message, number: c.life.Number()}
	if f := c.props.lifecycle; f != nil {
		f(ctx, c.invoke)
	} else {
		c.invoke(ctx)
	}
	c.telling = nil
}

// hook is tell for messages whose handler must not stop what is under way: a
// panic in it is logged and forgotten.
func (c *cell) hook(message any) {
	defer func() {
		if v := recover(); v != nil {
			c.telling = nil
			c.system.logger.Error("actor: hook panicked", "pid", c.pid.String(),
				"message", fmt.Sprintf("%T", message), "panic", v, "stack", string(debug.Stack()))
		}
	}()
	if c.actor != nil {
		c.tell(message)
	}
}

// failed turns a panic of the handler into a failure of this actor. A handler
// may also have ended its goroutine, as testing.T.FailNow does.
func (c *cell) failed(v any) {
	if v == nil {
		v = errors.New("the handler ended its goroutine (runtime.Goexit, perhaps by FailNow)")
	}
	reason := &PanicError{Value: v, Stack: string(debug.Stack())}
	message, with := c.telling, attached{}
	if c.telling = nil; message == nil {
		message, with = c.run.Last()
	}
	c.system.logger.Error("actor: handler panicked", "pid", c.pid.String(),
		"message", fmt.Sprintf("%T", message), "panic", v, "stack", reason.Stack)
	if with.sender.IsFuture() {
		sendFrom(Context{cell: c, sender: with.sender, number: c.life.Number()}, with.sender, Envelope{Message: reason})
	}
	c.returned(with.sender)
	c.run.Done()
	c.fail(reason)
}

// fail suspends the actor until its supervisor has decided.
func (c *cell) fail(reason error) {
	if c.phase >= restarting {
		return // a hook ended its goroutine; what is under way goes on
	}
	c.phase = failing
	if c.parent == nil {
		c.system.guardian.decide(nil, c, reason)
		return
	}
	c.parent.postSystem(inTurn(func() { c.parent.childFailed(c, reason) })) // it outlives its children
}

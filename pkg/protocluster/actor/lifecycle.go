package actor

// handleSystem handles what comes first: the actor's birth, then one system
// message.
func (c *cell) handleSystem() {
	c.alerts.Add(-1)
	if c.phase == unborn {
		c.create()
		return
	}
	m, _ := c.sys.Pop() // alerts says that it is there
	switch m := m.(type) {
	case *Stop:
		c.beginStop(nil)
	case *Watch:
		c.addWatcher(m.Watcher)
	case *Unwatch:
		if c.more != nil {
			delete(c.more.watchers, m.Watcher.key())
		}
	case *Terminated:
		c.terminated(m)
	case inTurn:
		m()
	}
}

// create makes the actor's instance and starts it. A panic on the way is a
// failure like any other.
func (c *cell) create() {
	c.phase = running
	if c.life.Killed() {
		return // its Stop comes next
	}
	c.actor, c.receive = nil, nil
	c.incarnation++
	c.actor = c.props.producer()
	c.receive, _ = c.actor.(ReceiveFunc)
	if len(c.props.receivers) > 0 {
		c.receive = chain(c.props.receivers, innermost)
	}
	if d := c.props.receiveTimeout; d > 0 {
		c.setReceiveTimeout(d)
	}
	c.life.Next()
	c.tell(&Started{})
}

// innermost is the last handler: what became of the actor, or itself. It is no
// method, as the value of one would be in a place of its own for each actor.
func innermost(ctx Context) {
	c := ctx.cell
	if c.more != nil && len(c.more.behaviors) > 0 {
		c.more.behaviors[len(c.more.behaviors)-1](ctx)
		return
	}
	c.actor.Receive(ctx)
}

// become replaces the stack of behaviors; messages then go through innermost.
func (c *cell) become(behaviors []ReceiveFunc) {
	c.extra().behaviors = behaviors
	if len(c.props.receivers) == 0 {
		c.receive = innermost
	}
}

// resume goes on after a failure; children whose failures were escalated wait
// for the same word. Without an instance there is nothing to go on with.
func (c *cell) resume(reason error) {
	switch {
	case c.phase != failing:
		return
	case c.actor == nil:
		c.beginStop(reason)
		return
	}
	c.phase = running
	if c.more != nil {
		for child := range c.more.children {
			child.postSystem(inTurn(func() { child.resume(reason) }))
		}
	}
}

func (c *cell) beginRestart() {
	if c.phase != running && c.phase != failing {
		return
	}
	c.phase = restarting
	c.life.Next()
	defer c.settle() // deferred, because a handler may end its goroutine
	defer c.stopChildren()
	c.hook(&Restarting{})
}

func (c *cell) beginStop(reason error) {
	if c.phase >= stopping {
		if c.phase == stopping && c.life.Killed() {
			c.stopChildren() // a Kill came after the Stop
		}
		return
	}
	c.phase = stopping
	c.extra().reason = reason
	c.life.Stop()
	defer c.settle()
	defer c.stopChildren()
	c.hook(&Stopping{})
}

func (c *cell) stopChildren() {
	if c.more == nil {
		return
	}
	for child := range c.more.children {
		c.stopChild(child)
	}
}

func (c *cell) stopChild(child *cell) {
	if c.life.Killed() {
		child.kill()
		return
	}
	child.postSystem(&Stop{})
}

// settle goes on with a restart or a stop once no child is left.
func (c *cell) settle() {
	switch {
	case c.more != nil && len(c.more.children) > 0:
	case c.phase == restarting:
		c.cancelReceiveTimeout()
		if c.more != nil {
			c.more.behaviors = nil
			c.unstash()
		}
		c.create()
	case c.phase == stopping:
		c.phase = ended
		defer c.end()
		c.hook(&Stopped{})
	}
}

// end is the actor's last act. From the closing of its queues on, whoever
// sends to it finds out; what came before is handed on.
func (c *cell) end() {
	defer c.system.ended()
	defer c.tellWatchers()
	c.cancelReceiveTimeout()
	c.unstash()
	if c.guarded != nil {
		c.guarded.replies.Close(c.guarded)
	}
	c.work.Store(over)
	var rest []Envelope
	for c.user.Close(&c.run); !c.run.Empty(); {
		if message, with := c.run.Next(); !private(message) {
			rest = append(rest, Envelope{message, with.sender, with.meta})
		}
	}
	c.system.registry.Remove(c.pid.ID)
	c.run, c.actor, c.receive, c.telling = messages{}, nil, nil, nil
	c.handOn(rest)
}

// handOn says where the messages go that the actor did not handle.
func (c *cell) handOn(rest []Envelope) {
	defer func() {
		if v := recover(); v != nil {
			c.system.logger.Error("actor: after-stop hook or dead-letter handler panicked", "pid", c.pid.String(), "panic", v)
		}
	}()
	if c.props.afterStop != nil {
		c.props.afterStop(&c.pid, c.more.reason, c.life.Number() > 1, rest)
		return
	}
	for _, e := range rest {
		c.system.Refuse(&c.pid, e, ErrStopped)
	}
}

// tellWatchers tells of the end, also those whose Watch has just come. The
// parent needs no Watch, and hears first, so that one of its own adds nothing.
func (c *cell) tellWatchers() {
	terminated := &Terminated{Who: &c.pid, Reason: c.more.reason}
	if p := c.parent; p != nil {
		p.postSystem(inTurn(func() { p.childEnded(c, terminated) }))
	}
	for _, m := range c.sys.Close() {
		if w, ok := m.(*Watch); ok {
			c.addWatcher(w.Watcher)
		}
	}
	for _, w := range c.more.watchers {
		c.system.sendSystem(w, terminated)
	}
	for _, who := range c.more.watching {
		c.system.sendSystem(who, &Unwatch{Watcher: &c.pid})
	}
	c.more = nil
}

func (c *cell) addWatcher(w *PID) {
	if c.parent != nil && w == &c.parent.pid {
		return // it is told anyway
	}
	more := c.extra()
	if more.watchers == nil {
		more.watchers = make(map[pidKey]*PID, 1)
	}
	more.watchers[w.key()] = w
}

// terminated takes note of the end of an actor that this one watched.
func (c *cell) terminated(m *Terminated) {
	if c.more == nil {
		return
	}
	if _, watched := c.more.watching[m.Who.key()]; watched {
		delete(c.more.watching, m.Who.key())
		c.tellTerminated(m)
	}
}

// childEnded takes note of the end of a child. Of those that a restart stops
// the next instance hears nothing, having spawned none.
func (c *cell) childEnded(child *cell, m *Terminated) {
	defer c.settle()
	delete(c.more.children, child)
	delete(c.more.failures, child)
	delete(c.more.watching, m.Who.key())
	if c.phase != restarting {
		c.tellTerminated(m)
	}
}

// tellTerminated tells the user once the actor may run, unless it stops.
func (c *cell) tellTerminated(m *Terminated) {
	switch {
	case c.phase == running && c.admitted():
		c.tell(m)
	case c.phase < stopping:
		var one messages
		one.Add(m, attached{})
		c.putBack(one)
	}
}

// unstash has the stashed messages handled next.
func (c *cell) unstash() {
	if c.more != nil && !c.more.stash.Empty() {
		c.putBack(c.more.stash)
		c.more.stash = messages{}
	}
}

// putBack puts messages before all that wait.
func (c *cell) putBack(first messages) {
	c.waiting.Add(int32(first.Len()))
	c.run.PutBack(first)
}

package actor

import "time"

// receiveTimer is one setting of an actor's receive timeout.
type receiveTimer struct {
	after time.Duration
	timer *time.Timer
}

func (c *cell) setReceiveTimeout(d time.Duration) {
	c.cancelReceiveTimeout()
	if d <= 0 {
		return
	}
	t := &receiveTimer{after: d}
	more := c.extra()
	more.timer, more.lastUsed = t, time.Now()
	t.timer = time.AfterFunc(d, func() { c.postSystem(inTurn(func() { c.checkIdle(t) })) })
}

func (c *cell) cancelReceiveTimeout() {
	if c.more != nil && c.more.timer != nil {
		c.more.timer.timer.Stop()
		c.more.timer = nil
	}
}

// checkIdle tells the actor of its receive timeout if nothing has come for that
// long and nothing waits; the timeout stays in force. Looking at the clock per
// message and setting the timer only here is a tenth of the price of resetting
// it each time.
func (c *cell) checkIdle(t *receiveTimer) {
	if c.more == nil || c.more.timer != t {
		return
	}
	left := t.after - time.Since(c.more.lastUsed)
	if c.phase != running || !c.run.Empty() || !c.user.Empty() || left <= 0 && !c.admitted() {
		left = t.after
	}
	if left > 0 {
		t.timer.Reset(left)
		return
	}
	c.more.lastUsed = time.Now()
	t.timer.Reset(t.after)
	c.tell(&ReceiveTimeout{})
}

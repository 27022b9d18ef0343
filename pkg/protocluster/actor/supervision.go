package actor

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/backoff"
)

// Directive is a supervisor's answer to the failure of a child.
type Directive uint8

const (
	// DirectiveRestart replaces the instance; its mailbox and PID stay.
	DirectiveRestart Directive = iota
	// DirectiveResume goes on with the next message, state as it is; if there
	// is none because the producer failed, it is DirectiveStop.
	DirectiveResume
	// DirectiveStop ends the child.
	DirectiveStop
	// DirectiveEscalate makes the failure the supervisor's own.
	DirectiveEscalate
)

// Strategy says what a supervisor does when a child fails. The zero value
// restarts the child alone, at most ten times in ten seconds.
type Strategy struct {
	// AllForOne applies the directive to all children, not only to the one
	// that failed.
	AllForOne bool
	// Decide chooses by the failure, a *PanicError. Nil: restart. If Decide
	// panics itself, the failure is escalated.
	Decide func(reason error) Directive
	// MaxRestarts in Within are allowed to a child; one more stops it. 0
	// means 10, a negative number no limit.
	MaxRestarts int
	// Within is the window in which restarts count; 0 means 10 s.
	Within time.Duration
	// Backoff delays the n-th restart in the window by Backoff·2ⁿ⁻¹, give
	// or take a tenth, MaxBackoff at most. 0 means no delay.
	Backoff time.Duration
	// MaxBackoff bounds the delay; 0 means 30 s.
	MaxBackoff time.Duration
}

func (c *cell) strategy() *Strategy {
	if c.props.supervisor != nil {
		return c.props.supervisor
	}
	return &Strategy{}
}

// childFailed decides about a child. One that c is about to end is left to that.
func (c *cell) childFailed(child *cell, reason error) {
	if c.phase == running || c.phase == failing {
		c.strategy().decide(c, child, reason)
	}
}

// decide applies the strategy to a failure of child. It runs on parent's turn,
// or, for a root actor (parent nil), on child's.
func (s *Strategy) decide(parent, child *cell, reason error) {
	directive, delay := s.directive(child, reason), time.Duration(0)
	if directive == DirectiveEscalate {
		if parent != nil {
			parent.fail(reason)
			return
		}
		directive = DirectiveStop // nobody is above the guardian
	}
	if directive == DirectiveRestart {
		limit, within := cmp.Or(s.MaxRestarts, 10), cmp.Or(s.Within, 10*time.Second)
		n := countFailure(parent, child, within)
		if limit >= 0 && n > limit {
			child.system.logger.Error("actor: restart limit reached, stopping",
				"pid", child.pid.String(), "restarts", limit, "within", within)
			directive = DirectiveStop
		}
		delay = s.delay(n)
	}
	if !s.AllForOne || parent == nil {
		child.obey(directive, delay, reason)
		return
	}
	for c := range parent.more.children {
		c.obey(directive, delay, reason)
	}
}

// directive asks Decide, whose panic makes the failure the supervisor's own.
func (s *Strategy) directive(child *cell, reason error) (d Directive) {
	if s.Decide == nil {
		return DirectiveRestart
	}
	defer func() {
		if v := recover(); v != nil {
			child.system.logger.Error("actor: Decide panicked, escalating", "pid", child.pid.String(), "panic", v)
			d = DirectiveEscalate
		}
	}()
	return s.Decide(reason)
}

// countFailure returns how often child has failed within the window, this time
// included. Its supervisor keeps the count, or itself if it has none.
func countFailure(parent, child *cell, window time.Duration) int {
	book := child
	if parent != nil {
		book = parent
	}
	more, now := book.extra(), time.Now()
	if more.failures == nil {
		more.failures = make(map[*cell][]time.Time)
	}
	past := slices.DeleteFunc(more.failures[child], func(t time.Time) bool { return now.Sub(t) > window })
	more.failures[child] = append(past, now)
	return len(past) + 1
}

// delay is how long the n-th restart in the window waits.
func (s *Strategy) delay(n int) time.Duration {
	d := backoff.Delay(n, s.Backoff, cmp.Or(s.MaxBackoff, 30*time.Second))
	return d - d/10 + rand.N(d/5+1)
}

func (c *cell) obey(d Directive, delay time.Duration, reason error) {
	switch {
	case d == DirectiveResume:
		c.postSystem(inTurn(func() { c.resume(reason) }))
	case d == DirectiveStop:
		c.life.Stop()
		c.postSystem(inTurn(func() { c.beginStop(reason) }))
	case delay > 0:
		time.AfterFunc(delay, func() { c.postSystem(inTurn(c.beginRestart)) })
	default:
		c.postSystem(inTurn(c.beginRestart))
	}
}

package cluster

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/attempts"
	"github.com/protocluster/workshop/pkg/protocluster/internal/timers"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

// hostPatience is how long a kind that nobody hosts is waited for: a member that
// hosts it may just be joining.
const hostPatience = time.Second

// Call says how one request is made.
type Call struct {
	// Idempotent allows to send the message again although it may have been
	// executed.
	Idempotent bool
}

// CallOption sets one property of a Call.
type CallOption func(*Call)

// Idempotent sets Call.Idempotent.
func Idempotent() CallOption { return func(c *Call) { c.Idempotent = true } }

// Request sends message to the virtual actor id and returns its reply of type
// R. It lasts until ctx ends, for Config.RequestTimeout if ctx has no deadline.
//
// What was definitely not executed is tried again meanwhile, wherever the
// identity lives by then. Without an answer the error is a *RequestError; it Is
// actor.ErrUnknownOutcome if the message may have been executed, which is not
// tried again unless the call is Idempotent. The virtual actor's own error is
// returned as it is.
func Request[R any](ctx context.Context, c *Cluster, id Identity, message any, opts ...CallOption) (R, error) {
	reply, err := c.request(ctx, nil, id, message, opts)
	r, ok := reply.(R)
	if err == nil && !ok {
		err = wrongReply(id, message, reply, reflect.TypeFor[R]())
	}
	return r, err
}

// wrongReply is apart from Request, which has what it takes on no caller's stack.
func wrongReply(id Identity, message, reply any, want reflect.Type) error {
	return fmt.Errorf("cluster: %s replied to %T with %T, want %v", id.text(), message, reply, want)
}

// Request is the function Request for replies of any type.
func (c *Cluster) Request(ctx context.Context, id Identity, message any, opts ...CallOption) (any, error) {
	return c.request(ctx, nil, id, message, opts)
}

// request is Request, which has entered n, or is to enter. While it is known where id
// lives, nothing is on the stack that only another try needs: the stacks of many
// callers do not fit a processor's cache. With 64 of them that is 1.05 times the
// rate, with 512 it is 1.03.
func (c *Cluster) request(ctx context.Context, n *node, id Identity, message any, opts []CallOption) (reply any, err error) {
	if n == nil {
		if n, err = c.enter(); err != nil {
			return nil, err
		}
	}
	began := n.grains.began.Add(time.Since(n.grains.began)) // time.Now looks at two clocks
	defer n.calls.Leave()
	pid := n.known(id)
	if pid != nil {
		if reply, err = n.system.AskUntil(ctx, n.until(ctx, began), pid, message); err == nil {
			n.stats.calls.Known(time.Since(began))
			return reply, nil
		}
		n.stats.hits.Add(1)
	}
	return newPursuit(ctx, n, id, began).pursue(ctx, message, opts, pid, err)
}

// until is when a call ends that began then; zero if ctx sees to that.
func (n *node) until(ctx context.Context, began time.Time) time.Time {
	return timers.Unless(ctx, began.Add(n.config.requestTimeout()))
}

// Send sends message to the virtual actor id and returns nil once it was handed
// to the actor or to the connection to its node. Until then it is tried again
// as with Request. What is lost after that is lost.
func (c *Cluster) Send(ctx context.Context, id Identity, message any) error {
	_, err := c.call(ctx, id, func(pid *actor.PID) (any, error) { return nil, c.system.TrySend(pid, message) })
	return err
}

// Locate returns the PID of the activation of id, activating it where it belongs
// if need be. The PID is good until the activation ends or moves: prefer Send
// and Request, which find out.
func (c *Cluster) Locate(ctx context.Context, id Identity) (*actor.PID, error) {
	pid, err := c.call(ctx, id, func(pid *actor.PID) (any, error) { return pid, nil })
	found, _ := pid.(*actor.PID)
	return found, err
}

func (c *Cluster) call(ctx context.Context, id Identity, deliver func(pid *actor.PID) (any, error)) (any, error) {
	n, err := c.enter()
	if err != nil {
		return nil, err
	}
	defer n.calls.Leave()
	return n.call(ctx, id, deliver)
}

// call finds id and delivers to it.
func (n *node) call(ctx context.Context, id Identity, deliver func(pid *actor.PID) (any, error)) (any, error) {
	return newPursuit(ctx, n, id, time.Now()).deliver(ctx, deliver)
}

// pursuit is a call that is tried until something was delivered.
type pursuit struct {
	*node
	Call
	id     Identity
	until  time.Time     // zero if a context sees to that
	hails  bool          // the next try may be a hail
	failed *RequestError // what was tried
}

func newPursuit(ctx context.Context, n *node, id Identity, began time.Time) *pursuit {
	return &pursuit{node: n, id: id, until: n.until(ctx, began), failed: &RequestError{ID: id, began: began}}
}

// pursue asks, after a try with pid that came to err, unless pid is nil.
func (p *pursuit) pursue(ctx context.Context, m any, opts []CallOption, pid *actor.PID, err error) (reply any, why error) {
	defer p.stats.calls.End(p.failed.began, &why)
	for _, opt := range opts {
		opt(&p.Call)
	}
	if pid == nil {
		end, _, _ := timers.End(ctx, p.until)
		p.hails = end.Sub(p.failed.began) >= roomy
	} else if err = p.fail(ctx, pid, err); err != nil {
		return nil, err
	}
	return p.deliver(ctx, func(pid *actor.PID) (any, error) { return p.system.AskUntil(ctx, p.until, pid, m) })
}

// deliver delivers to id, again while that was definitely not done, until ctx ends.
func (p *pursuit) deliver(ctx context.Context, to func(pid *actor.PID) (any, error)) (any, error) {
	if err := p.id.Validate(); err != nil {
		return nil, err
	}
	for ; ; p.hails = false {
		pid, hailing, err := p.locate(ctx, p.until, p.id, p.hails)
		var reply any
		if err == nil {
			reply, err = to(pid)
		}
		if hailing {
			pid, reply, err = p.heard(p.id, pid, reply, err)
		}
		if err == nil {
			return reply, nil
		} else if err == errTurnedAway { //nolint:errorlint // it is not wrapped
			continue
		}
		if err = p.fail(ctx, pid, err); err != nil {
			return nil, err
		}
	}
}

// fail takes note of a try that came to err, with pid if that was found. It returns
// nil after a pause if there is to be another, or why the call ends.
func (p *pursuit) fail(ctx context.Context, pid *actor.PID, err error) error {
	if pid != nil {
		if _, own := errors.AsType[*actor.ReplyError](err); own {
			return err
		}
		p.cache.Remove(p.id, pid)
	}
	p.failed.note(p.View(), pid, err)
	if p.cluster.node.Load() != p.node {
		return p.failed.because(ErrClosed)
	}
	if !p.failed.transient(p.Idempotent) {
		return p.failed
	}
	if why := attempts.Pause(ctx, p.until, p.failed.Tries, err); why != nil {
		return p.failed.because(why)
	}
	p.stats.retries.Add(1)
	return nil
}

// transient reports whether another try may end otherwise, and is allowed.
func (e *RequestError) transient(idempotent bool) bool {
	_, failed := errors.AsType[*ActivationError](e.Err)
	nobody, nowhere := errors.AsType[*NoHostError](e.Err)
	switch {
	case failed, nowhere && (nobody.swapped() || time.Since(e.began) > hostPatience):
		return false
	case errors.Is(e.Err, remote.ErrUnknownType), errors.Is(e.Err, remote.ErrTooLarge),
		errors.Is(e.Err, remote.ErrMalformed), errors.Is(e.Err, remote.ErrForbidden):
		return false
	}
	return errors.Is(e.Err, actor.ErrNotDelivered) || idempotent && errors.Is(e.Err, actor.ErrUnknownOutcome)
}

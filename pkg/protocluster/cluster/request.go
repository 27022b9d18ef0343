package cluster

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/background"
	"github.com/protocluster/workshop/pkg/protocluster/internal/backoff"
	"github.com/protocluster/workshop/pkg/protocluster/internal/timers"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

const (
	firstPause  = 5 * time.Millisecond
	longestWait = 250 * time.Millisecond
	// hostPatience is how long a kind that nobody hosts is waited for: a
	// member that hosts it may just be joining.
	hostPatience = time.Second
)

// Call says how one request is made.
type Call struct {
	// Idempotent allows to send the message again although it may have been
	// executed.
	Idempotent bool

	hails bool // it may begin with a hail
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
	reply, err := c.Request(ctx, id, message, opts...)
	r, ok := reply.(R)
	if err == nil && !ok {
		err = fmt.Errorf("cluster: %s replied to %T with %T, want %v", id.text(), message, reply, reflect.TypeFor[R]())
	}
	return r, err
}

// Request is the function Request for replies of any type.
func (c *Cluster) Request(ctx context.Context, id Identity, message any, opts ...CallOption) (any, error) {
	n, err := c.enter()
	if err != nil {
		return nil, err
	}
	defer n.calls.Leave()
	var call Call
	for _, opt := range opts {
		opt(&call)
	}
	return n.request(ctx, id, call, message)
}

func (n *node) request(ctx context.Context, id Identity, call Call, message any) (reply any, err error) {
	began := n.stats.calls.Begin()
	defer n.stats.calls.End(began, &err)
	call.hails = true
	return n.call(ctx, began, id, call, func(until time.Time, pid *actor.PID) (any, error) {
		return n.system.AskUntil(ctx, until, pid, message)
	})
}

// Send sends message to the virtual actor id and returns nil once it was handed
// to the actor or to the connection to its node. Until then it is tried again
// as with Request. What is lost after that is lost.
func (c *Cluster) Send(ctx context.Context, id Identity, message any) error {
	n, err := c.enter()
	if err != nil {
		return err
	}
	defer n.calls.Leave()
	_, err = n.call(ctx, time.Now(), id, Call{}, func(_ time.Time, pid *actor.PID) (any, error) {
		return nil, n.system.TrySend(pid, message)
	})
	return err
}

// Locate returns the PID of the activation of id, activating it where it belongs
// if need be. The PID is good until the activation ends or moves: prefer Send
// and Request, which find out.
func (c *Cluster) Locate(ctx context.Context, id Identity) (*actor.PID, error) {
	n, err := c.enter()
	if err != nil {
		return nil, err
	}
	defer n.calls.Leave()
	pid, err := n.call(ctx, time.Now(), id, Call{}, func(_ time.Time, pid *actor.PID) (any, error) { return pid, nil })
	found, _ := pid.(*actor.PID)
	return found, err
}

// call, which began then, finds id and delivers to it, again while that was
// definitely not done, until ctx ends. If that may never be, there is a time when it
// ends, of which deliver is told; no context is made for that before it must be:
// that would be a fifth of a request which stays in one process.
func (n *node) call(ctx context.Context, began time.Time, id Identity, call Call,
	deliver func(until time.Time, pid *actor.PID) (any, error)) (any, error) {
	if err := id.Validate(); err != nil {
		return nil, err
	}
	end, bounded := ctx.Deadline()
	var until time.Time // unless ctx sees to that
	if !bounded {
		end = began.Add(n.config.requestTimeout())
		until = end
	}
	call.hails = call.hails && end.Sub(began) >= roomy
	var failed *RequestError // from the first failure on
	for ; ; call.hails = false {
		pid, hailing, err := n.locate(ctx, until, id, call.hails)
		if err == nil {
			var reply any
			reply, err = deliver(until, pid)
			if hailing {
				pid, reply, err = n.heard(id, pid, reply, err)
			}
			if err == nil {
				return reply, nil
			} else if err == errTurnedAway { //nolint:errorlint // it is not wrapped
				continue
			}
			if _, own := errors.AsType[*actor.ReplyError](err); own {
				return nil, err
			}
			n.cache.Remove(id, pid)
		}
		if failed == nil {
			failed = &RequestError{ID: id, began: began}
		}
		failed.note(n.View(), pid, err)
		if n.cluster.node.Load() != n {
			return nil, failed.because(ErrClosed)
		}
		if !failed.again(ctx, until, call) {
			return nil, failed
		}
		n.stats.retries.Add(1)
	}
}

// again waits before the next try; false if there is none.
func (e *RequestError) again(ctx context.Context, until time.Time, call Call) bool {
	_, failed := errors.AsType[*ActivationError](e.Err)
	nobody, nowhere := errors.AsType[*NoHostError](e.Err)
	switch {
	case failed, nowhere && (nobody.swapped() || time.Since(e.began) > hostPatience):
		return false
	case errors.Is(e.Err, remote.ErrUnknownType), errors.Is(e.Err, remote.ErrTooLarge),
		errors.Is(e.Err, remote.ErrMalformed), errors.Is(e.Err, remote.ErrForbidden):
		return false // the next would end the same
	case errors.Is(e.Err, actor.ErrNotDelivered), call.Idempotent && errors.Is(e.Err, actor.ErrUnknownOutcome):
	default:
		return false
	}
	pause := backoff.Half(backoff.Delay(e.Tries, firstPause, longestWait))
	if busy, ok := errors.AsType[*actor.RejectedError](e.Err); ok {
		pause = max(pause, busy.RetryAfter)
	}
	ctx, cancel := timers.Bound(ctx, until)
	defer cancel()
	if !background.Sleep(ctx, pause) {
		_ = e.because(ctx.Err())
		return false
	}
	return true
}

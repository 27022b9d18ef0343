package actor

import (
	"slices"
	"time"
)

// Props says how to make and run the actors of one sort. It holds no state of
// an actor and does not change: options given to With yield a copy.
type Props struct {
	mailboxLimit   int
	guard          Guard
	senders        []func(next SendFunc) SendFunc
	producer       func() Actor
	supervisor     *Strategy // of its children; nil: restart each, ten times in ten seconds at most
	receiveTimeout time.Duration
	receivers      []func(next ReceiveFunc) ReceiveFunc
	spawners       []func(next SpawnFunc) SpawnFunc
	values         []value
	room           [1]value // of values, unless there are more
	lifecycle      func(ctx Context, next ReceiveFunc)
	afterStop      AfterStop
	fence          Token
}

type value struct{ key, value any }

// SendFunc sends e to an actor; from is the sending actor's context.
type SendFunc func(from Context, to *PID, e Envelope)

// SpawnFunc starts a child of the actor whose context from is; an empty name
// asks for a unique one.
type SpawnFunc func(from Context, p *Props, name string) (*PID, error)

// PropsOption sets one property.
type PropsOption func(*Props)

// PropsFromProducer returns the Props of actors that produce makes: one for
// each spawn and each restart.
func PropsFromProducer(produce func() Actor, opts ...PropsOption) *Props {
	return (&Props{producer: produce}).With(opts...)
}

// PropsFromFunc returns the Props of actors without state of their own.
func PropsFromFunc(receive func(ctx Context), opts ...PropsOption) *Props {
	return PropsFromProducer(func() Actor { return ReceiveFunc(receive) }, opts...)
}

// With returns a copy of p that has opts applied.
func (p *Props) With(opts ...PropsOption) *Props { return p.Into(new(Props), opts...) }

// Into makes q, which nobody uses yet, such a copy, and returns it.
func (p *Props) Into(q *Props, opts ...PropsOption) *Props {
	*q = *p
	q.receivers, q.senders = slices.Clip(p.receivers), slices.Clip(p.senders)
	q.spawners, q.values = slices.Clip(p.spawners), append(q.room[:0], p.values...)
	for _, opt := range opts {
		opt(q)
	}
	return q
}

// WithSupervisor sets what happens to children that fail.
func WithSupervisor(s Strategy) PropsOption { return func(p *Props) { p.supervisor = &s } }

// WithMailboxLimit bounds the messages that may wait for the actor; a sender
// beyond it gets ErrMailboxFull. 0, the default, means 1<<20 beside a few
// hundred that the actor may have taken at once; math.MaxInt is no bound.
func WithMailboxLimit(n int) PropsOption { return func(p *Props) { p.mailboxLimit = n } }

// WithReceiveTimeout has the actor start with this receive timeout.
func WithReceiveTimeout(d time.Duration) PropsOption {
	return func(p *Props) { p.receiveTimeout = d }
}

// WithReceiverMiddleware wraps the handling of every message, lifecycle
// messages included; the first wraps all others.
func WithReceiverMiddleware(m ...func(next ReceiveFunc) ReceiveFunc) PropsOption {
	return func(p *Props) { p.receivers = append(p.receivers, m...) }
}

// WithSenderMiddleware wraps every message that the actor sends.
func WithSenderMiddleware(m ...func(next SendFunc) SendFunc) PropsOption {
	return func(p *Props) { p.senders = append(p.senders, m...) }
}

// WithSpawnMiddleware wraps every spawn of a child by the actor.
func WithSpawnMiddleware(m ...func(next SpawnFunc) SpawnFunc) PropsOption {
	return func(p *Props) { p.spawners = append(p.spawners, m...) }
}

// WithValue makes the actor's contexts carry a value, as context.WithValue
// does.
func WithValue(key, val any) PropsOption {
	return func(p *Props) { p.values = append(p.values, value{key, val}) }
}

// WithLifecycle has f handle what is no message of the mailbox: *Started,
// *Terminated, *ReceiveTimeout, *Restarting, *Stopping and *Stopped. It wraps all
// middleware; next is what would have handled them.
func WithLifecycle(f func(ctx Context, next ReceiveFunc)) PropsOption {
	return func(p *Props) { p.lifecycle = f }
}

// AfterStop is told of an actor's end: the failure that its supervisor stopped
// it for, or nil, whether there was progress after *Started, if only a PoisonPill or
// a message that its guard then held back, and the messages that waited behind the
// stop, in order.
type AfterStop func(self *PID, reason error, progress bool, undelivered []Envelope)

// WithAfterStop has f called once when the actor has ended and its name is
// free again, before its watchers are told. The undelivered messages become
// dead letters only where no such f is set. It must not block.
func WithAfterStop(f AfterStop) PropsOption {
	return func(p *Props) { p.afterStop = f }
}

// chain wraps last in middleware, of which the first is outermost.
func chain[F any](middleware []func(next F) F, last F) F {
	for _, m := range slices.Backward(middleware) {
		last = m(last)
	}
	return last
}

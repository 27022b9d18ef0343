package testkit

import "github.com/protocluster/workshop/pkg/protocluster/actor"

// The options in this file have a probe, which need not be spawned, watch an
// actor without the actor's knowing. An actor's own lifecycle messages are left
// out.

// WithMailboxProbe copies to p what the actor takes from its mailbox, before it
// handles it.
func WithMailboxProbe(p *Probe) actor.PropsOption {
	return actor.WithReceiverMiddleware(func(next actor.ReceiveFunc) actor.ReceiveFunc {
		return func(ctx actor.Context) {
			p.record(ctx.Envelope())
			next(ctx)
		}
	})
}

// WithReceiveProbe copies to p what the actor has handled; a message whose
// handler panicked is not among it.
func WithReceiveProbe(p *Probe) actor.PropsOption {
	return actor.WithReceiverMiddleware(func(next actor.ReceiveFunc) actor.ReceiveFunc {
		return func(ctx actor.Context) {
			next(ctx)
			p.record(ctx.Envelope())
		}
	})
}

// WithSendProbe copies to p what the actor sends, requests, replies and
// forwards, before it goes.
func WithSendProbe(p *Probe) actor.PropsOption {
	return actor.WithSenderMiddleware(func(next actor.SendFunc) actor.SendFunc {
		return func(from actor.Context, to *actor.PID, e actor.Envelope) {
			p.record(e)
			next(from, to, e)
		}
	})
}

package actor_test

import (
	"errors"
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
)

// received is receiver middleware that notes what passes, and marks it.
func (j *journal) received(name string) func(actor.ReceiveFunc) actor.ReceiveFunc {
	return func(next actor.ReceiveFunc) actor.ReceiveFunc {
		return func(ctx actor.Context) {
			if m, ok := ctx.Message().(string); ok {
				j.add("%s in", name)
				defer j.add("%s out", name)
				ctx = ctx.WithMessage(m + "-" + name)
			}
			next(ctx)
		}
	}
}

func (j *journal) sent(name string) func(actor.SendFunc) actor.SendFunc {
	return func(next actor.SendFunc) actor.SendFunc {
		return func(from actor.Context, to *actor.PID, e actor.Envelope) {
			j.add("%s sends", name)
			if m, ok := e.Message.(string); ok {
				e.Message = m + "-" + name
			}
			next(from, to, e)
		}
	}
}

func TestMiddleware_OfReceiving(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		pid := s.Spawn(j.puppet("it", actor.WithReceiverMiddleware(j.received("a"), j.received("b")), actor.WithReceiverMiddleware(j.received("c"))))
		s.Send(pid, "m")
		j.check(t, "it: Started, a in, b in, c in, it: m-a-b-c, c out, b out, a out")
	})
}

func TestMiddleware_OfSending(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		other := s.Spawn(j.puppet("other"))
		pid := s.Spawn(j.puppet("it", actor.WithSenderMiddleware(j.sent("a"), j.sent("b"))))
		j.take()
		s.Send(pid, do(func(ctx actor.Context) { ctx.Send(other, "m") }))
		j.check(t, "a sends, b sends, other: m-a-b")
		s.Send(pid, do(func(ctx actor.Context) { ctx.Poison(other) }))
		j.check(t, "a sends, b sends, other: Stopping, other: Stopped")
		if v, err := within[string](t, s, pid, func(actor.Context) any { return "reply" }); v != "reply-a-b" || err != nil {
			t.Errorf("Ask = %v, %v, want reply-a-b", v, err)
		}
	})
}

func TestMiddleware_OfSpawning(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		no := errors.New("no twins")
		around := func(name string) func(actor.SpawnFunc) actor.SpawnFunc {
			return func(next actor.SpawnFunc) actor.SpawnFunc {
				return func(from actor.Context, p *actor.Props, id string) (*actor.PID, error) {
					j.add("%s spawns %s", name, id)
					if id == "twin" {
						return nil, no
					}
					return next(from, p.With(actor.WithReceiverMiddleware(j.received(name))), id+name)
				}
			}
		}
		pid := s.Spawn(j.puppet("it", actor.WithSpawnMiddleware(around("a"), around("b"))))
		child := spawn(t, s, pid, "x", j.puppet("child"))
		if want := pid.ID + "/xab"; child.ID != want {
			t.Errorf("ID = %s, want %s", child.ID, want)
		}
		s.Send(child, "m")
		j.check(t, "it: Started, a spawns x, b spawns xa, child: Started, a in, b in, child: m-a-b, b out, a out")
		if _, err := within[*actor.PID](t, s, pid, func(ctx actor.Context) any {
			if _, err := ctx.SpawnNamed(j.puppet("child"), "twin"); !errors.Is(err, no) {
				t.Errorf("SpawnNamed = %v, want %v", err, no)
			}
			return ctx.Self()
		}); err != nil {
			t.Error(err)
		}
	})
}

func TestProps_WithMakesCopies(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		base := j.puppet("it", actor.WithReceiverMiddleware(j.received("base")))
		a := base.With(actor.WithReceiverMiddleware(j.received("a")))
		b := base.With(actor.WithReceiverMiddleware(j.received("b")))
		for _, row := range []struct {
			props *actor.Props
			want  string
		}{
			{base, "it: Started, base in, it: m-base, base out"},
			{a, "it: Started, base in, a in, it: m-base-a, a out, base out"},
			{b, "it: Started, base in, b in, it: m-base-b, b out, base out"},
		} {
			s.Send(s.Spawn(row.props), "m")
			j.check(t, row.want)
		}
	})
}

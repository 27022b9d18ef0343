package actor_test

import (
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// quiet does not keep an actor awake.
type quiet struct{}

func (quiet) NotInfluenceReceiveTimeout() {}

func TestReceiveTimeout_FiresWhenIdle(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		start := time.Now()
		pid := s.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case *actor.ReceiveTimeout:
				j.add("idle at %v", time.Since(start))
			case do:
				m(ctx)
			}
		}, actor.WithReceiveTimeout(10*time.Second)))
		testkit.Advance(21 * time.Second) // at 21 s
		j.check(t, "idle at 10s, idle at 20s")
		s.Send(pid, "a message puts it off")
		testkit.Advance(9 * time.Second) // at 30 s
		s.Send(pid, quiet{})
		j.check(t, "")
		testkit.Advance(2 * time.Second) // at 32 s
		j.check(t, "idle at 31s")
		s.Send(pid, do(func(actor.Context) { pass(time.Minute) })) // until 92 s
		testkit.Advance(65 * time.Second)                          // at 97 s
		j.check(t, "")
		testkit.Advance(7 * time.Second) // at 104 s
		j.check(t, "idle at 1m42s")
		s.Send(pid, do(func(ctx actor.Context) { ctx.SetReceiveTimeout(time.Second) }))
		testkit.Advance(1500 * time.Millisecond)
		j.check(t, "idle at 1m45s")
		for _, end := range []func(actor.Context){
			func(ctx actor.Context) { ctx.CancelReceiveTimeout() },
			func(ctx actor.Context) { ctx.SetReceiveTimeout(0) },
		} {
			s.Send(pid, do(func(ctx actor.Context) { ctx.SetReceiveTimeout(time.Second) }))
			s.Send(pid, do(end))
			testkit.Advance(time.Hour)
			j.check(t, "")
		}
	})
}

func TestReceiveTimeout_NotWhileMessagesWait(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		pid := s.Spawn(j.puppet("it", actor.WithReceiveTimeout(time.Second)))
		slow := do(func(actor.Context) { pass(5 * time.Second); j.add("slow") })
		sends[any](s, pid, slow, slow, "a")
		testkit.Advance(10500 * time.Millisecond)
		j.check(t, "it: Started, slow, slow, it: a")
		testkit.Advance(time.Second)
		j.check(t, "it: ReceiveTimeout")
	})
}

func TestReceiveTimeout_OfProps_IsSetAgainByARestart(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		pid := s.Spawn(j.puppet("it", actor.WithReceiveTimeout(time.Minute)))
		s.Send(pid, do(func(ctx actor.Context) { ctx.SetReceiveTimeout(time.Second); panic("no") }))
		testkit.Advance(59 * time.Second)
		j.check(t, "it: Started, it: Restarting, it: Started")
		testkit.Advance(2 * time.Second)
		j.check(t, "it: ReceiveTimeout")
		s.Stop(pid)
		testkit.Advance(time.Hour)
		j.check(t, "it: Stopping, it: Stopped")
	})
}

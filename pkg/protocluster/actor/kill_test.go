package actor_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

func TestKill_SavesNothing(t *testing.T) {
	var left []any
	after := actor.WithAfterStop(func(_ *actor.PID, _ error, _ bool, undelivered []actor.Envelope) {
		for _, e := range undelivered {
			left = append(left, e.Message)
		}
	})
	guarded(t, func(t *testing.T, s *actor.System, j *journal, l *lease, pid *actor.PID) {
		watcher := s.Spawn(j.puppet("watcher"))
		s.Send(watcher, do(func(ctx actor.Context) { ctx.Watch(pid) }))
		child := spawn(t, s, pid, "child", j.puppet("child"))
		_ = spawn(t, s, child, "grandchild", j.puppet("grandchild"))
		j.take()
		f := s.RequestFuture(pid, do(func(ctx actor.Context) {
			ctx.Respond("too late")
			<-ctx.Done()
			j.add("done: %v", context.Cause(ctx))
		}), time.Minute)
		sends(s, pid, "a", "b")
		synctest.Wait()
		s.Kill(pid) // although the lease is good
		who := pid.ID
		j.check(t, "done: context canceled, grandchild: Stopped, child: Stopped, it: Stopped, watcher: Terminated "+who)
		if _, err := f.Result(); !errors.Is(err, actor.ErrUnknownOutcome) {
			t.Errorf("Result = %v, want %v", err, actor.ErrUnknownOutcome)
		}
		if fmt.Sprint(left) != "[a b]" {
			t.Errorf("AfterStop got %v, want [a b]", left)
		}
	}, after)
}

func TestKill_DropsKeptReplies(t *testing.T) {
	guarded(t, func(t *testing.T, s *actor.System, j *journal, l *lease, pid *actor.PID) {
		var kept actor.Context
		early := s.RequestFuture(pid, do(func(ctx actor.Context) { kept = ctx }), time.Minute)
		reply := s.RequestFuture(pid, do(func(ctx actor.Context) {
			ctx.Respond("reply")
			l.lapse(s, pid)
		}), time.Minute)
		synctest.Wait()
		s.Kill(pid)
		l.regain(s, pid)
		j.check(t, "it: Stopped")
		kept.Respond("late")
		for _, f := range []*actor.Future{early, reply} {
			if v, err := f.Result(); !errors.Is(err, actor.ErrUnknownOutcome) {
				t.Errorf("Result = %v, %v, want %v", v, err, actor.ErrUnknownOutcome)
			}
		}
	})
}

// Once Kill has returned nothing begins but Stopped, whatever the actor was about.
func TestKill_OfActorsInAnyState(t *testing.T) {
	rows := []struct {
		name  string
		begin do
	}{
		{"that is idle", func(actor.Context) {}},
		{"that restarts", fail("oops")},
		{"that stops", func(ctx actor.Context) { ctx.Stop(ctx.Self()) }},
		{"whose child has just ended", func(ctx actor.Context) {
			ctx.Stop(ctx.Spawn(actor.PropsFromFunc(silent)))
			<-ctx.Done()
		}},
		{"whose receive timeout is due", func(ctx actor.Context) {
			ctx.SetReceiveTimeout(time.Millisecond)
			<-ctx.Done()
			pass(time.Second)
		}},
		{"that has a PoisonPill", func(ctx actor.Context) {
			ctx.Poison(ctx.Self())
			<-ctx.Done()
		}},
		{"that has stashed", func(ctx actor.Context) {
			ctx.Stash()
			<-ctx.Done()
			ctx.UnstashAll()
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *actor.System) {
				j := new(journal)
				pid := s.Spawn(j.puppet("it"))
				// The end waits for the child, which waits for the clock.
				s.Send(spawn(t, s, pid, "child", j.puppet("child")), do(func(actor.Context) { pass(time.Minute) }))
				synctest.Wait()
				s.Send(pid, row.begin)
				j.take()
				s.Kill(pid)
				j.check(t, "")
				testkit.Advance(time.Hour)
				j.check(t, "child: Stopped, it: Stopped")
			})
		})
	}
}

func TestKill_WhileARestartIsDelayed(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		j := new(journal)
		pid := s.Spawn(j.puppet("it"))
		s.Send(pid, fail("oops"))
		j.take()
		s.Kill(pid)
		j.check(t, "it: Stopped")
		testkit.Advance(time.Hour)
		j.check(t, "")
	}, actor.WithGuardian(actor.Strategy{Backoff: time.Second}))
}

// A restart that was ordered before a Kill does not happen.
func TestKill_OfOneThatIsToRestart(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		j := new(journal)
		parent := s.Spawn(actor.PropsFromFunc(echo, actor.WithSupervisor(actor.Strategy{AllForOne: true})))
		pid := spawn(t, s, parent, "it", j.puppet("it"))
		sibling := spawn(t, s, parent, "sibling", actor.PropsFromFunc(echo))
		gate := make(chan struct{})
		s.Send(pid, do(func(actor.Context) { <-gate }))
		s.Send(sibling, fail("oops"))
		j.take()
		s.Kill(pid)
		close(gate)
		j.check(t, "it: Stopped")
	})
}

func TestKill_BeforeTheStart(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		j := new(journal)
		j.deadLetters(s)
		gate := make(chan struct{})
		busy := s.Spawn(actor.PropsFromFunc(func(actor.Context) { <-gate })) // has the only worker
		synctest.Wait()
		pid := s.Spawn(j.puppet("it"))
		s.Send(pid, "m")
		s.Kill(pid)
		close(gate)
		j.check(t, "dead m: actor: not delivered: stopped")
		s.Kill(busy)
	}, actor.WithWorkers(1))
}

// A child that is spawned while its parent dies does as well.
func TestKill_OfAParentThatSpawns(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		j := new(journal)
		pid := s.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(*actor.Stopping); ok {
				s.Kill(ctx.Self())
				spawned, err := ctx.SpawnNamed(j.puppet("child"), "child")
				j.add("spawned: %v, %v", spawned != nil, err)
			}
		}))
		s.Stop(pid)
		j.check(t, "spawned: true, <nil>")
	}, actor.WithWorkers(1)) // or the child may have started by then
}

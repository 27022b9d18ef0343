package actor_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

func TestSuspend_EndsTheContextOfWhatIsUnderWay(t *testing.T) {
	for _, guard := range []bool{true, false} {
		var l lease
		var opts []actor.PropsOption
		if guard {
			opts = append(opts, actor.WithGuard(&l))
		}
		bubble(t, func(t *testing.T, s *actor.System) {
			j := new(journal)
			pid := s.Spawn(j.puppet("it", opts...))
			j.take()
			var old actor.Context
			wait := do(func(ctx actor.Context) {
				old = ctx
				select {
				case <-ctx.Done():
					j.add("done: %v, %v", ctx.Err(), context.Cause(ctx))
				case <-time.After(time.Minute):
					j.add("not done")
				}
			})
			s.RequestFuture(pid, wait, time.Hour)
			synctest.Wait()
			l.lapse(s, pid)
			j.check(t, "done: context canceled, actor: suspended: context canceled")
			l.regain(s, pid)
			s.RequestFuture(pid, do(func(ctx actor.Context) {
				if !errors.Is(context.Cause(old), actor.ErrSuspended) {
					t.Errorf("cause of the old context = %v, want %v", context.Cause(old), actor.ErrSuspended)
				}
				wait(ctx)
			}), time.Hour)
			testkit.Advance(2 * time.Minute)
			j.check(t, "not done")
			s.Send(pid, wait)
			synctest.Wait()
			s.Stop(pid)
			j.check(t, "done: context canceled, context canceled, it: Stopping, it: Stopped")
		})
	}
}

// A handler that asks for its context after the Suspend finds it done.
func TestSuspend_ComesBeforeTheQuestion(t *testing.T) {
	guarded(t, func(t *testing.T, s *actor.System, j *journal, l *lease, pid *actor.PID) {
		s.Send(pid, do(func(ctx actor.Context) {
			l.lapse(s, pid)
			if err := context.Cause(ctx); !errors.Is(err, actor.ErrSuspended) || !errors.Is(err, context.Canceled) {
				t.Errorf("cause = %v, want %v", err, actor.ErrSuspended)
			}
			if _, err := s.Ask(ctx, pid, "m"); !errors.Is(err, actor.ErrNotDelivered) || !errors.Is(err, actor.ErrSuspended) {
				t.Errorf("Ask = %v, want %v for %v", err, actor.ErrNotDelivered, actor.ErrSuspended)
			}
		}))
		synctest.Wait()
		l.regain(s, pid)
		s.Send(pid, do(func(ctx actor.Context) {
			if ctx.Err() != nil || context.Cause(ctx) != nil {
				t.Errorf("Err after the Resume = %v, cause %v, want nil", ctx.Err(), context.Cause(ctx))
			}
		}))
		synctest.Wait()
	})
}

// ticking is a Guard whose yes is followed by a Suspend before the actor knows.
type ticking struct{ s *actor.System }

func (g ticking) Admit(self *actor.PID) bool {
	g.s.Suspend(self)
	return true
}

func TestSuspend_ComesRightAfterTheYes(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		pid := s.Spawn(actor.PropsFromFunc(echo, actor.WithGuard(ticking{s})))
		for range 3 {
			s.Send(pid, do(func(ctx actor.Context) {
				if !errors.Is(context.Cause(ctx), actor.ErrSuspended) {
					t.Errorf("cause = %v, want %v", context.Cause(ctx), actor.ErrSuspended)
				}
			}))
		}
		synctest.Wait()
	})
}

// A restart under a lapsed lease may load what it needs.
func TestSuspend_LeavesStartedAlone(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var l lease
		starts := 0
		pid := s.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case *actor.Started:
				if starts++; ctx.Err() != nil {
					t.Errorf("Err in Started = %v, want nil", ctx.Err())
				}
			case do:
				m(ctx)
			}
		}, actor.WithGuard(&l)))
		s.Send(pid, do(func(ctx actor.Context) {
			l.lapse(s, pid)
			panic(ctx.Err())
		}))
		synctest.Wait()
		if starts != 2 {
			t.Errorf("it started %d times, want 2", starts)
		}
	})
}

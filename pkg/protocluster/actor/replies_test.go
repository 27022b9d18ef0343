package actor_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
)

func TestGuard_RepliesLeaveAfterTheHandler(t *testing.T) {
	guarded(t, func(t *testing.T, s *actor.System, j *journal, l *lease, pid *actor.PID) {
		other := s.Spawn(j.puppet("other"))
		gate := make(chan struct{})
		wait := do(func(ctx actor.Context) {
			ctx.Respond("reply")
			ctx.Send(other, "at once")
			<-gate
		})
		j.take()
		j.noteReply("asker", s.RequestFuture(pid, wait, 0))
		j.check(t, "other: at once")
		gate <- struct{}{}
		j.check(t, "asker got reply")

		j.noteReply("asker", s.RequestFuture(pid, wait, 0))
		j.check(t, "other: at once")
		l.lapse(s, pid)
		gate <- struct{}{}
		s.Send(pid, "next")
		j.check(t, "")
		s.Resume(pid) // in vain
		j.check(t, "")
		l.regain(s, pid)
		if got, want := sorted(j.take()), "asker got reply, it: next"; got != want {
			t.Errorf("journal: got %s, want %s", got, want)
		}
	})
}

// What an actor replies to another, in order, and before it handles more.
func TestGuard_KeptRepliesStayInOrder(t *testing.T) {
	guarded(t, func(t *testing.T, s *actor.System, j *journal, l *lease, pid *actor.PID) {
		asker := s.Spawn(j.puppet("asker"))
		j.take()
		request := func(m any) { _ = s.SendEnvelope(pid, actor.Envelope{Message: m, Sender: asker}) }
		request(do(func(ctx actor.Context) {
			ctx.Respond("1")
			ctx.Send(ctx.Sender(), "2")
			ctx.Send(actor.NewPID(s.Address(), ctx.Sender().ID), "3")
			l.lapse(s, pid)
		}))
		request(do(func(ctx actor.Context) { ctx.Respond("4") }))
		j.check(t, "")
		l.regain(s, pid)
		j.check(t, "asker: 1, asker: 2, asker: 3, asker: 4")
	})
}

func TestGuard_KeepsTheNewsOfAPanic(t *testing.T) {
	guarded(t, func(t *testing.T, s *actor.System, j *journal, l *lease, pid *actor.PID) {
		f := s.RequestFuture(pid, do(func(ctx actor.Context) {
			l.lapse(s, pid)
			panic("oops")
		}), 0)
		synctest.Wait()
		if f.Completed() {
			t.Error("the news has left though the lease has lapsed")
		}
		l.regain(s, pid)
		if _, ok := errors.AsType[*actor.PanicError](result(f)); !ok {
			t.Errorf("Result = %v, want a PanicError", result(f))
		}
		f = s.RequestFuture(pid, fail("oops"), 0)
		if _, ok := errors.AsType[*actor.PanicError](result(f)); !ok {
			t.Errorf("Result under a lease = %v, want a PanicError", result(f))
		}
	})
}

// A reply given when the handler has returned leaves at once, though another
// message is under way, or else after the Resume.
func TestGuard_LateReplies(t *testing.T) {
	guarded(t, func(t *testing.T, s *actor.System, j *journal, l *lease, pid *actor.PID) {
		var late []actor.Context
		keep := do(func(ctx actor.Context) { late = append(late, ctx) })
		ask := func() *actor.Future {
			f := s.RequestFuture(pid, keep, 0)
			synctest.Wait()
			return f
		}
		first, second, third := ask(), ask(), ask()
		gate := make(chan struct{})
		s.Send(pid, do(func(actor.Context) { <-gate }))
		synctest.Wait()
		late[0].Respond("first")
		if v, err := first.Result(); v != "first" || err != nil {
			t.Errorf("Result = %v, %v, want first", v, err)
		}
		l.lapse(s, pid)
		late[1].Respond("second")
		gate <- struct{}{}
		late[2].Respond(errors.New("third"))
		synctest.Wait()
		if second.Completed() || third.Completed() {
			t.Error("a reply has left though the lease has lapsed")
		}
		l.regain(s, pid)
		if v, err := second.Result(); v != "second" || err != nil {
			t.Errorf("Result = %v, %v, want second", v, err)
		}
		if err := result(third); err == nil || err.Error() != "third" {
			t.Errorf("Result = %v, want third", err)
		}
	})
}

// What a continuation replies leaves when that has returned.
func TestGuard_RepliesOfAContinuation(t *testing.T) {
	guarded(t, func(t *testing.T, s *actor.System, j *journal, l *lease, pid *actor.PID) {
		f := s.NewFuture(0)
		reply := s.RequestFuture(pid, do(func(ctx actor.Context) {
			ctx.ReenterAfter(f, func(any, error) {
				ctx.Respond("reply")
				l.lapse(s, pid)
			})
		}), 0)
		synctest.Wait()
		f.Complete(nil)
		synctest.Wait()
		if reply.Completed() {
			t.Error("the reply has left though the lease lapsed in the continuation")
		}
		l.regain(s, pid)
		if v, err := reply.Result(); v != "reply" || err != nil {
			t.Errorf("Result = %v, %v, want the reply", v, err)
		}
	})
}

// An actor that ends keeps no reply that may leave, and lets none that may not.
func TestGuard_RepliesOfOneThatHasStopped(t *testing.T) {
	for _, lapsed := range []bool{false, true} {
		guarded(t, func(t *testing.T, s *actor.System, j *journal, l *lease, pid *actor.PID) {
			var kept actor.Context
			early := s.RequestFuture(pid, do(func(ctx actor.Context) {
				ctx.Respond("early")
				l.lapsed.Store(true)
			}), time.Minute)
			synctest.Wait()
			l.lapsed.Store(false)
			s.Resume(pid)
			late := s.RequestFuture(pid, do(func(ctx actor.Context) { kept = ctx }), time.Minute)
			lost := s.RequestFuture(pid, do(func(ctx actor.Context) {
				ctx.Respond("lost")
				l.lapsed.Store(true)
			}), time.Minute)
			synctest.Wait()
			s.Stop(pid)
			l.lapsed.Store(lapsed)
			synctest.Wait()
			kept.Respond("late")
			l.lapsed.Store(false)
			s.Resume(pid)
			synctest.Wait()
			if v, err := early.Result(); v != "early" || err != nil {
				t.Errorf("Result = %v, %v, want what was replied before", v, err)
			}
			for name, f := range map[string]*actor.Future{"lost": lost, "late": late} {
				v, err := f.Result()
				if lapsed && !errors.Is(err, actor.ErrUnknownOutcome) || !lapsed && v != name {
					t.Errorf("lapsed %v: Result = %v, %v of %s", lapsed, v, err, name)
				}
			}
		})
	}
}

func TestGuard_ReplyWithoutASenderIsADeadLetter(t *testing.T) {
	guarded(t, func(t *testing.T, s *actor.System, j *journal, l *lease, pid *actor.PID) {
		j.deadLetters(s)
		s.Send(pid, answer("nobody's"))
		j.check(t, "dead nobody's: actor: send string to nobody: actor: not delivered: no such actor")
	})
}

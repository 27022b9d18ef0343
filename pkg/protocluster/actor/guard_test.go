package actor_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// lease is a Guard that says yes until it lapses.
type lease struct {
	lapsed atomic.Bool
	asked  atomic.Int32
}

func (l *lease) Admit(*actor.PID) bool {
	l.asked.Add(1)
	return !l.lapsed.Load()
}

// lapse does to an actor what a node that lost its right does.
func (l *lease) lapse(s *actor.System, pid *actor.PID) {
	l.lapsed.Store(true)
	s.Suspend(pid)
}

func (l *lease) regain(s *actor.System, pid *actor.PID) {
	l.lapsed.Store(false)
	s.Resume(pid)
}

// guarded runs f in a bubble with a puppet, "it", under a lease.
func guarded(t *testing.T, f func(t *testing.T, s *actor.System, j *journal, l *lease, pid *actor.PID), opts ...actor.PropsOption) {
	t.Helper()
	bubble(t, func(t *testing.T, s *actor.System) {
		j, l := new(journal), new(lease)
		pid := s.Spawn(j.puppet("it", append([]actor.PropsOption{actor.WithGuard(l)}, opts...)...))
		j.take()
		f(t, s, j, l, pid)
	})
}

// noteReply notes what comes of f.
func (j *journal) noteReply(name string, f *actor.Future) {
	go func() {
		reply, err := f.Result()
		if err != nil {
			reply = err
		}
		j.add("%s got %v", name, reply)
	}()
}

// answer is a do that responds.
func answer(v any) do { return func(ctx actor.Context) { ctx.Respond(v) } }

func TestGuard_HoldsMessagesBack(t *testing.T) {
	guarded(t, func(t *testing.T, s *actor.System, j *journal, l *lease, pid *actor.PID) {
		sends(s, pid, "a", "b")
		j.check(t, "it: a, it: b")
		l.lapsed.Store(true)
		sends(s, pid, "c", "d")
		asked := l.asked.Load()
		s.Poison(pid)
		j.check(t, "")
		l.lapsed.Store(false) // which nobody has told it
		s.Send(pid, "e")
		j.check(t, "")
		if n := l.asked.Load() - asked; n > 1 {
			t.Errorf("it asked %d times more than once while it is held back", n-1)
		}
		l.lapsed.Store(true)
		s.Resume(pid)
		j.check(t, "")
		l.regain(s, pid)
		j.check(t, "it: c, it: d, it: Stopping, it: Stopped")
	})
}

func TestGuard_IsAskedOnlyForWhatTheActorHandles(t *testing.T) {
	guarded(t, func(t *testing.T, s *actor.System, j *journal, l *lease, pid *actor.PID) {
		if n := l.asked.Load(); n != 0 {
			t.Errorf("it asked %d times to start, want 0", n)
		}
		steps := []struct {
			name string
			do   func()
			want int32
		}{
			{"a message without a sender", func() { s.Send(pid, "m") }, 1},
			{"a request", func() { s.RequestFuture(pid, answer(1), 0) }, 2},
			{"a request without a reply", func() { s.RequestFuture(pid, "m", time.Minute) }, 1},
			{"a failure and a restart", func() { s.Send(pid, fail("oops")) }, 1},
			{"a watch", func() { s.Send(s.Spawn(j.puppet("other")), do(func(ctx actor.Context) { ctx.Watch(pid) })) }, 0},
			{"a suspension", func() { s.Suspend(pid) }, 0},
			{"a Resume of one that is not held back", func() { s.Resume(pid) }, 0},
			{"a Stop", func() { s.Stop(pid) }, 0},
		}
		for _, step := range steps {
			before := l.asked.Load()
			step.do()
			synctest.Wait()
			if n := l.asked.Load() - before; n != step.want {
				t.Errorf("it asked %d times for %s, want %d", n, step.name, step.want)
			}
		}
	})
}

func TestGuard_HoldsBackWhatElseAnActorIsTold(t *testing.T) {
	guarded(t, func(t *testing.T, s *actor.System, j *journal, l *lease, pid *actor.PID) {
		child := spawn(t, s, pid, "child", actor.PropsFromFunc(silent))
		f := s.NewFuture(0)
		s.Send(pid, do(func(ctx actor.Context) {
			ctx.ReenterAfter(f, func(any, error) { j.add("it: goes on") })
			ctx.SetReceiveTimeout(time.Second)
		}))
		synctest.Wait()
		l.lapse(s, pid)
		testkit.Advance(10 * time.Second)
		j.check(t, "")
		s.Stop(child)
		synctest.Wait()
		f.Complete(nil)
		j.check(t, "")
		l.regain(s, pid)
		j.check(t, "it: Terminated child, it: goes on")
		testkit.Advance(time.Second)
		j.check(t, "it: ReceiveTimeout")
	})
}

func TestGuard_StopEndsOneThatIsHeldBack(t *testing.T) {
	var left []any
	var reason error
	after := actor.WithAfterStop(func(_ *actor.PID, why error, _ bool, undelivered []actor.Envelope) {
		reason = why
		for _, e := range undelivered {
			left = append(left, e.Message)
		}
	})
	guarded(t, func(t *testing.T, s *actor.System, j *journal, l *lease, pid *actor.PID) {
		child := spawn(t, s, pid, "child", j.puppet("child"))
		j.take()
		l.lapse(s, pid)
		sends(s, pid, "a", "b")
		s.Stop(child)
		j.check(t, "child: Stopping, child: Stopped")
		s.Stop(pid)
		j.check(t, "it: Stopping, it: Stopped")
		if fmt.Sprint(left) != "[a b]" || reason != nil { // not that its child has ended
			t.Errorf("AfterStop got %v for reason %v, want [a b] for none", left, reason)
		}
	}, after)
}

func TestGuard_RestartsOneThatIsHeldBack(t *testing.T) {
	guarded(t, func(t *testing.T, s *actor.System, j *journal, l *lease, pid *actor.PID) {
		s.Send(pid, do(func(actor.Context) {
			l.lapsed.Store(true)
			panic("oops")
		}))
		s.Send(pid, "a")
		j.check(t, "it: Restarting, it: Started")
		l.regain(s, pid)
		j.check(t, "it: a")
	})
}

func TestGuard_OfNoneThatIsThere(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		j := new(journal)
		pid := spawn(t, s, nil, "it", j.puppet("it"))
		s.Stop(pid)
		j.take()
		again := spawn(t, s, nil, "it", j.puppet("it"))
		for _, who := range []*actor.PID{nil, s.NewFuture(0).PID(), actor.NewPID("", "none"), actor.NewPID("elsewhere:1", "it")} {
			s.Suspend(who)
			s.Resume(who)
			s.Kill(who)
		}
		j.check(t, "it: Started")
		s.Kill(pid) // by that name lives another, as for Stop
		j.check(t, "it: Stopped")
		s.Kill(again)
		j.check(t, "")
	})
}

// referee is a lease that counts its answers.
type referee struct {
	lease
	yes, no atomic.Int32
}

func (r *referee) Admit(self *actor.PID) bool {
	ok := r.lease.Admit(self)
	if ok {
		r.yes.Add(1)
	} else {
		r.no.Add(1)
	}
	return ok
}

// However leases come and go while messages do, each message is handled once,
// after a yes; who handles one when the lease lapses learns of it; each reply
// arrives once.
func TestGuard_LosesNothing(t *testing.T) {
	const askers, each = 4, 300
	bubble(t, func(t *testing.T, s *actor.System) {
		var r referee
		var handled, replies, wrong atomic.Int32
		pid := s.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			n, ok := ctx.Message().(int)
			if !ok {
				return
			}
			if handled.Add(1) > r.yes.Load() {
				t.Error("a message was handled without a yes")
			}
			if r.lapsed.Load() {
				select {
				case <-ctx.Done():
				case <-time.After(100 * time.Nanosecond): // passes when nobody has anything to do
					t.Error("a handler was under way when the lease lapsed, and its context is not done")
				}
			}
			switch n % 4 {
			case 0:
				ctx.Respond(n)
			case 1:
				go ctx.Respond(n)
			case 2:
				ctx.ReenterAfter(ctx.RequestFuture(ctx.Self(), "no reply", time.Microsecond), func(any, error) { ctx.Respond(n) })
			case 3:
				if _, err := ctx.RequestFuture(ctx.Self(), "no reply", time.Millisecond).Wait(ctx); err != nil {
					ctx.Respond(n)
				}
			}
		}, actor.WithGuard(&r)))
		var asked, flapping sync.WaitGroup
		for from := range askers {
			asked.Go(func() {
				for n := range each {
					want := from*each*4 + n
					switch v, err := s.Ask(t.Context(), pid, want); {
					case err != nil:
						t.Error(err)
					case v != want:
						wrong.Add(1)
					default:
						replies.Add(1)
					}
				}
			})
		}
		done := make(chan struct{})
		flapping.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				r.lapse(s, pid)
				pass(time.Microsecond)
				r.regain(s, pid)
				pass(10 * time.Microsecond)
			}
		})
		asked.Wait()
		close(done)
		flapping.Wait()
		if h, n := handled.Load(), replies.Load(); h != askers*each || n != askers*each {
			t.Errorf("of %d messages %d were handled; %d got their reply, %d another's", askers*each, h, n, wrong.Load())
		}
		if r.no.Load() == 0 {
			t.Error("the guard never said no: this has tested nothing")
		}
	}, actor.WithWorkers(3))
}

func TestGuard_AllocatesNothing(t *testing.T) {
	s := newSystem(t)
	m := &tick{}
	allocs := func(opts ...actor.PropsOption) float64 {
		pid := s.Spawn(actor.PropsFromProducer(func() actor.Actor { return &counter{} }, opts...))
		return testing.AllocsPerRun(1000, func() {
			if _, err := s.Ask(context.Background(), pid, m); err != nil {
				t.Fatal(err)
			}
		})
	}
	if with, without := allocs(actor.WithGuard(new(lease))), allocs(); with > without {
		t.Errorf("an ask of a guarded actor allocates %v times, want %v", with, without)
	}
}

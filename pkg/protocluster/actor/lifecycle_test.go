package actor_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

func TestLifecycle_ChildrenEndBeforeTheirParent(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		parent := spawn(t, s, nil, "parent", j.puppet("parent"))
		child := spawn(t, s, parent, "child", j.puppet("child"))
		spawn(t, s, child, "grandchild", j.puppet("grandchild"))
		j.check(t, "parent: Started, child: Started, grandchild: Started")
		s.Stop(parent)
		j.check(t, "parent: Stopping, child: Stopping, grandchild: Stopping, grandchild: Stopped, child: Stopped, parent: Stopped")
	})
}

func TestLifecycle_RestartReplacesTheInstanceAndEndsItsChildren(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		instances := 0
		parent := spawn(t, s, nil, "parent", actor.PropsFromProducer(func() actor.Actor {
			instances++
			name := fmt.Sprintf("parent%d", instances)
			return actor.ReceiveFunc(func(ctx actor.Context) { j.act(name, ctx) })
		}))
		spawn(t, s, parent, "child", j.puppet("child"))
		j.take()
		sends[any](s, parent, "a", fail("no"), "b")
		j.check(t, "parent1: a, parent1: Restarting, child: Stopping, child: Stopped, parent2: Started, parent2: b")
		children, err := within[int](t, s, parent, func(ctx actor.Context) any { return len(ctx.Children()) })
		if children != 0 || err != nil {
			t.Errorf("children after the restart = %d, %v, want 0", children, err)
		}
	})
}

func TestLifecycle_SystemMessagesGoFirst(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		j.deadLetters(s)
		other := spawn(t, s, nil, "other", actor.PropsFromFunc(func(actor.Context) {}))
		pid := s.Spawn(j.puppet("it"))
		gate := make(chan struct{})
		wait := do(func(actor.Context) { <-gate })
		sends[any](s, pid, do(func(ctx actor.Context) { ctx.Watch(other) }), wait, "a", wait, "b")
		synctest.Wait()
		s.Stop(other)
		synctest.Wait()
		gate <- struct{}{}
		j.check(t, "it: Started, it: Terminated other, it: a")
		s.Stop(pid)
		gate <- struct{}{}
		j.check(t, "it: Stopping, it: Stopped, dead b: actor: not delivered: stopped")
	})
}

func TestLifecycle_PoisonPillDrainsWhatCameBefore(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		j.deadLetters(s)
		pid := s.Spawn(j.puppet("it"))
		gate := make(chan struct{})
		sends[any](s, pid, do(func(actor.Context) { <-gate }), "a", "b", &actor.PoisonPill{}, "c", &actor.PoisonPill{})
		close(gate)
		j.check(t, "it: Started, it: a, it: b, it: Stopping, it: Stopped, dead c: actor: not delivered: stopped")
	})
}

func TestLifecycle_StopBeforeTheBirthStillSeesAWholeLife(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		gate := make(chan struct{})
		s.Spawn(actor.PropsFromFunc(func(actor.Context) { <-gate }))
		pid := s.Spawn(j.puppet("it"))
		s.Stop(pid)
		close(gate)
		j.check(t, "it: Started, it: Stopping, it: Stopped")
	}, actor.WithWorkers(1))
}

func TestLifecycle_AParentHearsOfEachChildOnce(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		parent := spawn(t, s, nil, "parent", j.puppet("parent"))
		child := spawn(t, s, parent, "child", j.puppet("child"))
		s.Send(parent, do(func(ctx actor.Context) { ctx.Watch(child) }))
		j.take()
		s.Stop(child)
		j.check(t, "child: Stopping, child: Stopped, parent: Terminated child")
	})
}

func TestLifecycle_AWatchThatMeetsTheEndAddsNothing(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		const children = 300
		told := map[string]int{}
		s.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case *actor.Started:
				for i := range children {
					child := ctx.Spawn(actor.PropsFromFunc(silent))
					ctx.Stop(child)
					for range i % 10 {
						runtime.Gosched()
					}
					ctx.Watch(child)
				}
			case *actor.Terminated:
				told[m.Who.ID]++
			}
		}))
		synctest.Wait()
		for id, n := range told {
			if n != 1 {
				t.Errorf("the end of %s was told %d times, want once", id, n)
			}
		}
		if len(told) != children {
			t.Errorf("%d ends were told, want %d", len(told), children)
		}
	}, actor.WithWorkers(4))
}

// A parent may spawn the name again as soon as it is free, which is before it
// hears of the end.
func TestLifecycle_ANameIsUsedAgainAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		parent := spawn(t, s, nil, "parent", j.puppet("parent"))
		free := make(chan struct{})
		first := spawn(t, s, parent, "child", j.puppet("first", actor.WithAfterStop(func(*actor.PID, error, bool, []actor.Envelope) { close(free) })))
		j.take()
		s.Send(parent, do(func(ctx actor.Context) {
			ctx.Stop(first)
			<-free
			if _, err := ctx.SpawnNamed(j.puppet("second"), "child"); err != nil {
				t.Error(err)
			}
			ctx.Send(first, "to the dead one's PID")
		}))
		if got, want := sorted(j.take()), "first: Stopped, first: Stopping, parent: Terminated child, second: Started, second: to the dead one's PID"; got != want {
			t.Errorf("journal:\ngot  %s\nwant %s", got, want)
		}
		s.Stop(parent)
		j.check(t, "parent: Stopping, second: Stopping, second: Stopped, parent: Stopped")
	})
}

func TestLifecycle_RespawnAndWatchInTerminated(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		child := j.puppet("child")
		lives := 3
		parent := s.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			j.act("parent", ctx)
			switch ctx.Message().(type) {
			case *actor.Started, *actor.Terminated:
				if lives--; lives < 0 {
					return
				}
				pid, err := ctx.SpawnNamed(child, "child")
				if err != nil {
					t.Error(err)
				}
				ctx.Watch(pid)
			}
		}))
		j.check(t, "parent: Started, child: Started")
		s.Stop(actor.NewPID("", parent.ID+"/child"))
		j.check(t, "child: Stopping, child: Stopped, parent: Terminated child, child: Started")
	})
}

func TestLifecycle_TerminatedWaitsWhileTheActorIsSuspended(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		other := spawn(t, s, nil, "other", j.puppet("other"))
		pid := s.Spawn(j.puppet("it"))
		sends[any](s, pid, do(func(ctx actor.Context) { ctx.Watch(other) }), fail("no"), "a")
		j.take()
		s.Stop(other)
		j.check(t, "other: Stopping, other: Stopped")
		testkit.Advance(2 * time.Minute)
		j.check(t, "it: Restarting, it: Started, it: Terminated other, it: a")
	}, actor.WithGuardian(actor.Strategy{Backoff: time.Minute, MaxBackoff: time.Minute}))
}

func TestLifecycle_AHookThatFailsStopsNothing(t *testing.T) {
	faults := map[string]func(){
		"panic": func() { panic("in the hook") },
		"ended": runtime.Goexit,
		"error": func() { panic(errors.New("in the hook")) },
	}
	for name, fault := range faults {
		for _, hook := range []any{&actor.Stopping{}, &actor.Stopped{}, &actor.Restarting{}} {
			t.Run(fmt.Sprintf("%T %s", hook, name), func(t *testing.T) {
				bubble(t, func(t *testing.T, s *actor.System) {
					var j journal
					failed := false
					pid := spawn(t, s, nil, "it", actor.PropsFromFunc(func(ctx actor.Context) {
						j.act("it", ctx)
						if fmt.Sprintf("%T", ctx.Message()) == fmt.Sprintf("%T", hook) && !failed {
							failed = true
							fault()
						}
					}))
					spawn(t, s, pid, "child", j.puppet("child"))
					j.take()
					if _, ok := hook.(*actor.Restarting); ok {
						s.Send(pid, fail("so that it restarts"))
						if got := strings.Join(j.take(), ", "); !strings.HasPrefix(got, "it: Restarting, child: Stopping, child: Stopped, it: Started") {
							t.Errorf("journal of the restart = %s", got)
						}
					}
					if err := s.StopAndWait(context.Background(), pid); err != nil {
						t.Error(err)
					}
					if got := strings.Join(j.take(), ", "); !strings.HasPrefix(got, "it: Stopping") || !strings.HasSuffix(got, "it: Stopped") {
						t.Errorf("journal of the stop = %s", got)
					}
					spawn(t, s, nil, "it", j.puppet("next"))
				})
			})
		}
	}
}

func TestLifecycle_SpawnWhileStopping(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		s.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			j.act("it", ctx)
			switch ctx.Message().(type) {
			case *actor.Started:
				ctx.Stop(ctx.Self())
			case *actor.Stopping:
				ctx.Spawn(j.puppet("late"))
			case *actor.Stopped:
				if _, err := ctx.SpawnNamed(j.puppet("too late"), "x"); !errors.Is(err, actor.ErrStopped) {
					t.Errorf("SpawnNamed in Stopped = %v, want %v", err, actor.ErrStopped)
				}
				if pid := ctx.Spawn(j.puppet("too late")); pid != nil {
					t.Errorf("Spawn in Stopped = %v, want nil", pid)
				}
			}
		}))
		j.check(t, "it: Started, it: Stopping, late: Started, late: Stopping, late: Stopped, it: Stopped")
	})
}

func TestLifecycle_TreesEndBottomUp(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var mu sync.Mutex
		ended := map[string]bool{}
		var tree func(depth int) *actor.Props
		tree = func(depth int) *actor.Props {
			return actor.PropsFromFunc(func(ctx actor.Context) {
				switch ctx.Message().(type) {
				case *actor.Started:
					for i := range depth {
						if _, err := ctx.SpawnNamed(tree(depth-1), fmt.Sprint(i)); err != nil {
							t.Error(err)
						}
					}
				case *actor.Stopped:
					mu.Lock()
					defer mu.Unlock()
					id := ctx.Self().ID
					for i := range depth {
						if !ended[fmt.Sprintf("%s/%d", id, i)] {
							t.Errorf("%s ended before its child %d", id, i)
						}
					}
					ended[id] = true
				}
			})
		}
		roots := []*actor.PID{s.Spawn(tree(5)), s.Spawn(tree(4))}
		synctest.Wait()
		for range 20 { // some parts first
			s.Stop(actor.NewPID("", fmt.Sprintf("%s/%d/%d", roots[0].ID, rand.IntN(5), rand.IntN(4))))
		}
		for _, pid := range roots {
			if err := s.StopAndWait(context.Background(), pid); err != nil {
				t.Error(err)
			}
		}
		if want := 326 + 65; len(ended) != want { // e·5! and e·4! nodes
			t.Errorf("%d actors have ended, want %d", len(ended), want)
		}
	}, actor.WithWorkers(8))
}

func TestAfterStop_GetsWhatWasNotHandled(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		j.deadLetters(s)
		props := j.puppet("it", actor.WithAfterStop(func(self *actor.PID, reason error, _ bool, undelivered []actor.Envelope) {
			for _, e := range undelivered {
				j.add("undelivered %v", e.Message)
			}
			j.add("after stop: %v", reason)
			if _, err := s.SpawnNamed(actor.PropsFromFunc(silent), self.ID); err != nil {
				t.Errorf("the name is not free: %v", err)
			}
		}))
		pid := spawn(t, s, nil, "it", props)
		watcher := s.Spawn(j.puppet("watcher"))
		s.Send(watcher, do(func(ctx actor.Context) { ctx.Watch(pid) }))
		j.take()
		gate := make(chan struct{})
		f := s.NewFuture(0)
		sends[any](s, pid,
			do(func(ctx actor.Context) {
				ctx.WithMessage("stashed").Stash()
				ctx.ReenterAfter(f, func(any, error) {})
				<-gate
			}),
			"a", &actor.PoisonPill{}, "b")
		synctest.Wait()
		f.Complete(nil)
		s.Stop(pid)
		close(gate)
		j.check(t, "it: Stopping, it: Stopped, undelivered stashed, undelivered a, undelivered b, after stop: <nil>, watcher: Terminated it")
	})
}

// Progress is whatever came after *Started.
func TestAfterStop_SaysWhetherTheActorGotOn(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		for _, row := range []struct {
			messages []any
			want     string
		}{
			{want: "it: Stopping, it: Stopped, progress false"},
			{[]any{"a"}, "it: a, it: Stopping, it: Stopped, progress true"},
		} {
			var j journal
			pid := spawn(t, s, nil, "it", j.puppet("it", actor.WithAfterStop(func(_ *actor.PID, _ error, progress bool, _ []actor.Envelope) {
				j.add("progress %v", progress)
			})))
			synctest.Wait()
			j.take()
			sends(s, pid, row.messages...)
			synctest.Wait()
			s.Stop(pid)
			j.check(t, row.want)
		}
	})
}

// The hook is around all middleware, is told of what is no message of the mailbox,
// and decides whether the actor is.
func TestLifecycle_IsAroundTheMiddleware(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		props := j.puppet("it",
			actor.WithReceiverMiddleware(func(next actor.ReceiveFunc) actor.ReceiveFunc {
				return func(ctx actor.Context) {
					j.add("middleware")
					next(ctx)
				}
			}),
			actor.WithLifecycle(func(ctx actor.Context, next actor.ReceiveFunc) {
				j.add("hook %T", ctx.Message())
				if _, hidden := ctx.Message().(*actor.Stopping); !hidden {
					next(ctx)
				}
			}))
		pid := spawn(t, s, nil, "it", props)
		j.check(t, "hook *actor.Started, middleware, it: Started")
		sends[any](s, pid, "a")
		synctest.Wait()
		s.Stop(pid)
		j.check(t, "middleware, it: a, hook *actor.Stopping, hook *actor.Stopped, middleware, it: Stopped")
	})
}

func TestAfterStop_SaysWhyAndMayFail(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var reason error
		gate := make(chan struct{})
		pid := s.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(*actor.Started); ok {
				<-gate
				panic("not today")
			}
		}, actor.WithAfterStop(func(_ *actor.PID, why error, _ bool, _ []actor.Envelope) {
			reason = why
			panic("nor here")
		})))
		f := s.NewFuture(0)
		s.ReceiveSystem(pid.ID, &actor.Watch{Watcher: f.PID()})
		close(gate)
		v, err := f.Wait(context.Background())
		if m, ok := v.(*actor.Terminated); !ok || err != nil || !errors.Is(m.Reason, reason) {
			t.Errorf("the watcher got %v, %v, want Terminated for %v", v, err, reason)
		}
		if p, ok := errors.AsType[*actor.PanicError](reason); !ok || p.Value != "not today" {
			t.Errorf("reason = %v, want the panic in Started", reason)
		}
	}, actor.WithGuardian(actor.Strategy{Decide: func(error) actor.Directive { return actor.DirectiveStop }}))
}

package actor_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

func TestContext_CarriesTheAskersDeadline(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		pid := s.Spawn(actor.PropsFromFunc(echo))
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		want, _ := ctx.Deadline()
		_, err := s.Ask(ctx, pid, do(func(ctx actor.Context) {
			if got, ok := ctx.Deadline(); !ok || !got.Equal(want) {
				t.Errorf("Deadline() = %v, %v, want %v", got, ok, want)
			}
			ctx.Respond(nil)
		}))
		if err != nil {
			t.Error(err)
		}
		s.Send(pid, do(func(ctx actor.Context) {
			if got, ok := ctx.Deadline(); ok {
				t.Errorf("Deadline() = %v without an asker, want none", got)
			}
			if ctx.Err() != nil {
				t.Errorf("Err() = %v, want nil", ctx.Err())
			}
		}))
		synctest.Wait()
	})
}

func TestContext_OutlivesTheHandler(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		start := time.Now()
		pid := s.Spawn(j.puppet("it"))
		keep := func(name string) do {
			return func(ctx actor.Context) {
				go func() {
					<-ctx.Done()
					j.add("%s: %v at %v", name, ctx.Err(), time.Since(start))
				}()
			}
		}
		j.take()
		s.RequestFuture(pid, keep("first"), time.Second)
		s.RequestFuture(pid, keep("second"), 2*time.Second)
		s.Send(pid, keep("third"))
		testkit.Advance(500 * time.Millisecond)
		s.Send(pid, "the actor goes on meanwhile")
		testkit.Advance(500 * time.Millisecond)
		j.check(t, "it: the actor goes on meanwhile, first: context deadline exceeded at 1s")
		s.Poison(pid)
		if got, want := sorted(j.take()), "it: Stopped, it: Stopping, second: context canceled at 1s, third: context canceled at 1s"; got != want {
			t.Errorf("journal:\ngot  %s\nwant %s", got, want)
		}
	})
}

func TestContext_IsDoneWhenTheActorIsToStop(t *testing.T) {
	ends := map[string]func(s *actor.System, parent, pid *actor.PID){
		"Stop":            func(s *actor.System, _, pid *actor.PID) { s.Stop(pid) },
		"Stop its parent": func(s *actor.System, parent, _ *actor.PID) { s.Stop(parent) },
		"fail its parent": func(s *actor.System, parent, _ *actor.PID) { s.Send(parent, fail("no")) },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *actor.System) {
				var j journal
				parent := spawn(t, s, nil, "parent", actor.PropsFromFunc(echo))
				pid := spawn(t, s, parent, "it", j.puppet("it"))
				s.Send(pid, do(func(ctx actor.Context) { <-ctx.Done(); j.add("done: %v", ctx.Err()) }))
				j.take()
				end(s, parent, pid)
				j.check(t, "done: context canceled, it: Stopping, it: Stopped")
			})
		})
	}
}

func TestContext_IsNotDoneByAPoisonPillThatWaits(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		pid := s.Spawn(j.puppet("it"))
		s.Send(pid, do(func(ctx actor.Context) {
			select {
			case <-ctx.Done():
				t.Error("the context is done before its turn")
			case <-time.After(time.Minute):
			}
		}))
		s.Poison(pid)
		testkit.Advance(time.Hour)
		j.check(t, "it: Started, it: Stopping, it: Stopped")
	})
}

// Who cleans up in Stopping needs a context that is not done.
func TestContext_OfTheLastMessagesIsNeverDone(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var kept []actor.Context
		pid := s.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case do:
				m(ctx)
			case *actor.Stopping, *actor.Stopped:
				ctx.Stop(ctx.Self()) // neither that nor any other stop matters now
				ctx.System().Stop(ctx.Self())
				if ctx.Err() != nil {
					t.Errorf("Err() in %T = %v, want nil", m, ctx.Err())
				}
			}
			kept = append(kept, ctx)
		}))
		s.Send(pid, do(func(ctx actor.Context) {
			ctx.Stop(ctx.Self())
			if !errors.Is(ctx.Err(), context.Canceled) { // asked for the first time after the stop
				t.Errorf("Err() after Stop = %v, want %v", ctx.Err(), context.Canceled)
			}
		}))
		synctest.Wait()
		for _, ctx := range kept {
			want := context.Canceled
			switch ctx.Message().(type) {
			case *actor.Stopping, *actor.Stopped:
				want = nil
			}
			if !errors.Is(ctx.Err(), want) {
				t.Errorf("Err() of %T afterwards = %v, want %v", ctx.Message(), ctx.Err(), want)
			}
		}
	})
}

type aKey struct{}

func TestContext_Value(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		props := actor.PropsFromFunc(echo, actor.WithValue(aKey{}, "a value"))
		pid := s.Spawn(props.With(actor.WithValue("other", 1)))
		s.Send(pid, do(func(ctx actor.Context) {
			child, cancel := context.WithCancel(ctx)
			defer cancel()
			if got := child.Value(aKey{}); got != "a value" {
				t.Errorf("Value = %v, want a value", got)
			}
			if got := ctx.Value("other"); got != 1 {
				t.Errorf("Value = %v, want 1", got)
			}
			if got := ctx.Value("none"); got != nil {
				t.Errorf("Value = %v, want nil", got)
			}
		}))
		synctest.Wait()
	})
}

func TestProps_CopiesHaveTheirOwnValues(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		none := actor.PropsFromFunc(echo)
		one := none.With(actor.WithValue("a", 1))
		var into actor.Props
		copies := []*actor.Props{none, one, one.With(actor.WithValue("b", 2)), one.Into(&into, actor.WithValue("b", 3)), none.With(actor.WithValue("a", 4))}
		want := [][2]any{{nil, nil}, {1, nil}, {1, 2}, {1, 3}, {4, nil}}
		for i, props := range copies {
			s.Send(s.Spawn(props), do(func(ctx actor.Context) {
				if got := [2]any{ctx.Value("a"), ctx.Value("b")}; got != want[i] {
					t.Errorf("copy %d has the values %v, want %v", i, got, want[i])
				}
			}))
		}
		synctest.Wait()
	})
}

// Package context starts a goroutine for each child of a context that it does
// not understand.
func TestContext_IsUnderstoodByPackageContext(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		pid := s.Spawn(actor.PropsFromFunc(echo))
		look := do(func(ctx actor.Context) {
			for range 100 {
				child, cancel := context.WithTimeout(ctx, time.Hour)
				defer cancel()
				_ = child
			}
			all := make([]byte, 1<<20)
			if n := strings.Count(string(all[:runtime.Stack(all, true)]), "propagateCancel"); n > 0 {
				t.Errorf("%d goroutines, want none", n)
			}
		})
		s.Send(pid, look)
		s.RequestFuture(pid, look, time.Hour)
		synctest.Wait()
	})
}

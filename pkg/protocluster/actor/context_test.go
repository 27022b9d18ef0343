package actor_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
)

func TestContext_KnowsItsSurroundings(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		parent := spawn(t, s, nil, "parent", actor.PropsFromFunc(echo))
		child := spawn(t, s, parent, "child", actor.PropsFromFunc(echo))
		s.Send(parent, do(func(ctx actor.Context) {
			if ctx.Parent() != nil {
				t.Errorf("Parent() of a root actor = %v, want nil", ctx.Parent())
			}
			if c := ctx.Children(); len(c) != 1 || !c[0].Equal(child) {
				t.Errorf("Children() = %v, want %v", c, child)
			}
			if ctx.Self() != parent || ctx.System() != s || ctx.ActorSystem() != s {
				t.Error("Self, System or ActorSystem is wrong")
			}
			if _, ok := ctx.Actor().(actor.ReceiveFunc); !ok {
				t.Errorf("Actor() = %T, want the ReceiveFunc", ctx.Actor())
			}
			if _, err := ctx.SpawnNamed(actor.PropsFromFunc(echo), "child"); !errors.Is(err, actor.ErrNameTaken) {
				t.Errorf("SpawnNamed = %v, want %v", err, actor.ErrNameTaken)
			}
		}))
		s.Send(child, do(func(ctx actor.Context) {
			if ctx.Parent() != parent || ctx.Self().ID != "parent/child" {
				t.Errorf("Parent(), Self() = %v, %v, want parent and its child", ctx.Parent(), ctx.Self())
			}
		}))
		synctest.Wait()
	})
}

func TestContext_Become(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		as := func(name string) actor.ReceiveFunc { return func(ctx actor.Context) { j.act(name, ctx) } }
		become := func(name string) do { return func(ctx actor.Context) { ctx.Become(as(name)) } }
		stacked := func(name string) do { return func(ctx actor.Context) { ctx.BecomeStacked(as(name)) } }
		back := do(func(ctx actor.Context) { ctx.Unbecome() })

		pid := s.Spawn(j.puppet("itself", actor.WithReceiverMiddleware(func(next actor.ReceiveFunc) actor.ReceiveFunc {
			return func(ctx actor.Context) {
				if m, ok := ctx.Message().(string); ok {
					ctx = ctx.WithMessage(m + "'")
				}
				next(ctx)
			}
		})))
		for _, pid := range []*actor.PID{pid} {
			sends[any](s, pid, back, "1", stacked("a"), "2", stacked("b"), "3", back, "4", back, "5")
			j.check(t, "itself: Started, itself: 1', a: 2', b: 3', a: 4', itself: 5'")
			sends[any](s, pid, stacked("a"), become("b"), "6", back, "7")
			j.check(t, "b: 6', itself: 7'")
			sends[any](s, pid, become("a"), stacked("b"), fail("no"), "8", back, "9")
			j.check(t, "b: Restarting, itself: Started, itself: 8', itself: 9'")
		}
	})
}

func TestContext_Stash(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		j.deadLetters(s)
		open := false
		props := actor.PropsFromFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(string); ok && !open {
				ctx.Stash()
				return
			}
			j.act("it", ctx)
		})
		unstash := do(func(ctx actor.Context) { open = true; ctx.UnstashAll() })
		pid := s.Spawn(props)
		f := s.RequestFuture(pid, "a", 0)
		sends[any](s, pid, "b", "c", unstash, "d", unstash, "e")
		j.check(t, "it: Started, it: a, it: b, it: c, it: d, it: e")
		if f.Completed() {
			t.Error("the asker of a stashed message was told something")
		}

		open = false
		sends[any](s, pid, "b", "c", do(func(actor.Context) { open = true; panic("no") }), "d")
		j.check(t, "it: Restarting, it: Started, it: b, it: c, it: d") // a restart unstashes

		open = false
		sends[any](s, pid, "b", "c", &actor.PoisonPill{}, "d")
		j.check(t, "it: Stopping, it: Stopped, dead b: actor: not delivered: stopped, "+
			"dead c: actor: not delivered: stopped, dead d: actor: not delivered: stopped")
	})
}

// Stashing in the middle of unstashing keeps the order.
func TestContext_StashAgain(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var got []int
		round := 0
		pid := s.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			switch n := ctx.Message().(type) {
			case int:
				if n%3 > round {
					ctx.Stash()
					return
				}
				got = append(got, n)
			case string:
				round++
				ctx.UnstashAll()
			}
		}))
		sends[any](s, pid, 0, 1, 2, 3, 4, 5, "next", 6, 7, 8, "next", 9)
		synctest.Wait()
		want := []int{0, 3, 1, 4, 6, 7, 2, 5, 8, 9}
		if !slices.Equal(got, want) {
			t.Errorf("handled %v, want %v", got, want)
		}
	})
}

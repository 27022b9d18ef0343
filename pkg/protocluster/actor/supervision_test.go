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

// always decides d.
func always(d actor.Directive) func(error) actor.Directive {
	return func(error) actor.Directive { return d }
}

func TestStrategy_Directives(t *testing.T) {
	rows := []struct {
		name     string
		strategy actor.Strategy
		want     string
	}{
		{"restart one", actor.Strategy{}, "a: Restarting, a: Started, a: next"},
		{"resume one", actor.Strategy{Decide: always(actor.DirectiveResume)}, "a: next"},
		{"stop one", actor.Strategy{Decide: always(actor.DirectiveStop)}, "a: Stopped, a: Stopping, dead next: actor: not delivered: stopped, parent: Terminated a"},
		{
			"restart all", actor.Strategy{AllForOne: true},
			"a: Restarting, a: Started, a: next, b: Restarting, b: Started",
		},
		{"resume all", actor.Strategy{AllForOne: true, Decide: always(actor.DirectiveResume)}, "a: next"},
		{
			"stop all", actor.Strategy{AllForOne: true, Decide: always(actor.DirectiveStop)},
			"a: Stopped, a: Stopping, b: Stopped, b: Stopping, dead next: actor: not delivered: stopped, parent: Terminated a, parent: Terminated b",
		},
		{
			"escalate", actor.Strategy{Decide: always(actor.DirectiveEscalate)}, // the guardian restarts
			"a: Stopped, a: Stopping, b: Stopped, b: Stopping, dead next: actor: not delivered: stopped, parent: Restarting, parent: Started",
		},
		{
			"a Decide that panics", actor.Strategy{Decide: func(error) actor.Directive { panic("no idea") }}, // is an escalation
			"a: Stopped, a: Stopping, b: Stopped, b: Stopping, dead next: actor: not delivered: stopped, parent: Restarting, parent: Started",
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *actor.System) {
				var j journal
				j.deadLetters(s)
				parent := spawn(t, s, nil, "parent", j.puppet("parent", actor.WithSupervisor(row.strategy)))
				a := spawn(t, s, parent, "a", j.puppet("a"))
				spawn(t, s, parent, "b", j.puppet("b"))
				j.take()
				sends[any](s, a, fail("no"), "next")
				if got := sorted(j.take()); got != row.want {
					t.Errorf("journal:\ngot  %s\nwant %s", got, row.want)
				}
			})
		})
	}
}

func TestStrategy_OfTheGuardian(t *testing.T) {
	rows := []struct {
		name   string
		decide func(error) actor.Directive
		want   string
	}{
		{"by default", nil, "it: Restarting, it: Started, it: next"},
		{"resume", always(actor.DirectiveResume), "it: next"},
		{"stop", always(actor.DirectiveStop), "it: Stopping, it: Stopped"},
		{"escalate", always(actor.DirectiveEscalate), "it: Stopping, it: Stopped"},
		{"panic", func(error) actor.Directive { panic("no idea") }, "it: Stopping, it: Stopped"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *actor.System) {
				var j journal
				pid := s.Spawn(j.puppet("it"))
				j.take()
				sends[any](s, pid, fail("no"), "next")
				j.check(t, row.want)
			}, actor.WithGuardian(actor.Strategy{AllForOne: true, Decide: row.decide}))
		})
	}
}

func TestStrategy_DecidesByTheFailure(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		worst := errors.New("the worst")
		var j journal
		parent := spawn(t, s, nil, "parent", j.puppet("parent", actor.WithSupervisor(actor.Strategy{Decide: func(reason error) actor.Directive {
			if p, ok := errors.AsType[*actor.PanicError](reason); !ok || !strings.Contains(p.Stack, "(*journal).act") {
				t.Errorf("reason = %#v, want a *PanicError with the handler's stack", reason)
			}
			if errors.Is(reason, worst) {
				return actor.DirectiveStop
			}
			return actor.DirectiveResume
		}})))
		child := spawn(t, s, parent, "child", j.puppet("child"))
		j.take()
		sends[any](s, child, fail("a trifle"), "a", fail(worst))
		j.check(t, "child: a, child: Stopping, child: Stopped, parent: Terminated child")
	})
}

func TestStrategy_LimitsRestartsInItsWindow(t *testing.T) {
	for _, limit := range []int{0, 3, -1} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			bubble(t, func(t *testing.T, s *actor.System) {
				restarts := 0
				ended := make(chan error, 1)
				parent := s.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
					switch m := ctx.Message().(type) {
					case do:
						m(ctx)
					case *actor.Terminated:
						ended <- m.Reason
					}
				}, actor.WithSupervisor(actor.Strategy{MaxRestarts: limit, Within: time.Minute})))
				child := spawn(t, s, parent, "child", actor.PropsFromFunc(func(ctx actor.Context) {
					switch m := ctx.Message().(type) {
					case do:
						m(ctx)
					case *actor.Restarting:
						restarts++
					}
				}))
				allowed := map[int]int{0: 10, 3: 3, -1: 1000}[limit]
				for range allowed {
					s.Send(child, fail("no"))
				}
				testkit.Advance(61 * time.Second) // a new window
				for range allowed + 1 {
					s.Send(child, fail("no"))
				}
				synctest.Wait()
				if limit < 0 {
					if want := 2*allowed + 1; restarts != want {
						t.Errorf("%d restarts, want %d", restarts, want)
					}
					return
				}
				if want := 2 * allowed; restarts != want {
					t.Errorf("%d restarts, want %d", restarts, want)
				}
				if _, ok := errors.AsType[*actor.PanicError](<-ended); !ok {
					t.Error("the parent was not told the reason")
				}
			})
		})
	}
}

func TestStrategy_BacksOff(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var gaps []time.Duration
		failed := time.Now()
		s.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(*actor.Started); ok {
				gaps = append(gaps, time.Since(failed))
				failed = time.Now()
				panic("still no")
			}
		}))
		testkit.Advance(3 * time.Minute)
		if len(gaps) != 7 { // and then it was stopped
			t.Fatalf("%d starts, want 7", len(gaps))
		}
		for i, want := range []time.Duration{0, 1, 2, 4, 8, 10, 10} {
			want *= time.Second
			if gap := gaps[i]; gap < want*9/10 || gap > want*11/10 {
				t.Errorf("delay %d = %v, want %v ± 10 %%", i, gap, want)
			}
		}
	}, actor.WithGuardian(actor.Strategy{MaxRestarts: 6, Within: time.Hour, Backoff: time.Second, MaxBackoff: 10 * time.Second}))
}

func TestStrategy_ASuspendedActorHandlesNothingButItsStop(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		pid := s.Spawn(j.puppet("it"))
		sends[any](s, pid, fail("no"), "a")
		j.check(t, "it: Started")
		s.Stop(pid)
		testkit.Advance(time.Hour)
		j.check(t, "it: Stopping, it: Stopped")
	}, actor.WithGuardian(actor.Strategy{Backoff: time.Second}))
}

func TestEscalate_TwoLevelsThenResume(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		escalate := actor.WithSupervisor(actor.Strategy{Decide: always(actor.DirectiveEscalate)})
		top := spawn(t, s, nil, "top", j.puppet("top", actor.WithSupervisor(actor.Strategy{Decide: always(actor.DirectiveResume)})))
		middle := spawn(t, s, top, "middle", j.puppet("middle", escalate))
		low := spawn(t, s, middle, "low", j.puppet("low", escalate))
		bottom := spawn(t, s, low, "bottom", j.puppet("bottom"))
		j.take()
		sends[any](s, bottom, fail("no"), "b1")
		j.check(t, "bottom: b1")
		sends[any](s, middle, "m")
		sends[any](s, low, "l")
		if got, want := sorted(j.take()), "low: l, middle: m"; got != want {
			t.Errorf("journal = %s, want %s", got, want)
		}
	})
}

func TestEscalate_ToAParentThatRestartsOrStops(t *testing.T) {
	for _, row := range []struct {
		directive actor.Directive
		want      string
	}{
		{actor.DirectiveRestart, "bottom: Stopped, bottom: Stopping, middle: Restarting, middle: Started"},
		{actor.DirectiveStop, "bottom: Stopped, bottom: Stopping, middle: Stopped, middle: Stopping, top: Terminated middle"},
	} {
		bubble(t, func(t *testing.T, s *actor.System) {
			var j journal
			top := spawn(t, s, nil, "top", j.puppet("top", actor.WithSupervisor(actor.Strategy{Decide: always(row.directive)})))
			middle := spawn(t, s, top, "middle", j.puppet("middle", actor.WithSupervisor(actor.Strategy{Decide: always(actor.DirectiveEscalate)})))
			bottom := spawn(t, s, middle, "bottom", j.puppet("bottom"))
			j.take()
			s.Send(bottom, fail("no"))
			if got := sorted(j.take()); got != row.want {
				t.Errorf("journal:\ngot  %s\nwant %s", got, row.want)
			}
		})
	}
}

// A child may fail while its parent's restart already stops it.
func TestEscalate_FromAChildThatIsBeingStopped(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		parent := spawn(t, s, nil, "parent", j.puppet("parent", actor.WithSupervisor(actor.Strategy{Decide: always(actor.DirectiveEscalate)})))
		child := spawn(t, s, parent, "child", j.puppet("child"))
		j.take()
		gate := make(chan struct{})
		s.Send(child, do(func(actor.Context) { <-gate; panic("too late") }))
		s.Send(parent, fail("first"))
		j.check(t, "parent: Restarting")
		close(gate)
		j.check(t, "child: Stopping, child: Stopped, parent: Started")
	})
}

func TestFailure_InStartedOrInTheProducer(t *testing.T) {
	for _, place := range []string{"Started", "producer", "nil actor", "middleware"} {
		for _, d := range []actor.Directive{actor.DirectiveRestart, actor.DirectiveResume, actor.DirectiveStop} {
			t.Run(fmt.Sprintf("%s %d", place, d), func(t *testing.T) {
				bubble(t, func(t *testing.T, s *actor.System) {
					failures := 0
					left := 3 // then it works
					try := func(at string) {
						if at == place && left > 0 {
							left--
							failures++
							panic("not yet")
						}
					}
					var j journal
					pid := s.Spawn(actor.PropsFromProducer(func() actor.Actor {
						try("producer")
						if place == "nil actor" && left > 0 {
							left--
							return nil
						}
						return actor.ReceiveFunc(func(ctx actor.Context) {
							if _, ok := ctx.Message().(*actor.Started); ok {
								try("Started")
							}
							j.act("it", ctx)
						})
					}, actor.WithReceiverMiddleware(func(next actor.ReceiveFunc) actor.ReceiveFunc {
						try("middleware")
						return next
					})))
					synctest.Wait()
					s.Send(pid, "a")
					got := strings.Join(j.take(), ", ")
					var want string
					switch {
					case d == actor.DirectiveRestart && place == "Started":
						want = "it: Restarting, it: Restarting, it: Restarting, it: Started, it: a"
					case d == actor.DirectiveRestart && place == "middleware":
						want = "it: Restarting, it: Restarting, it: Restarting, it: Started, it: a"
					case d == actor.DirectiveRestart:
						want = "it: Started, it: a"
					case d == actor.DirectiveResume && (place == "Started" || place == "middleware"):
						want = "it: a"
					case d == actor.DirectiveStop && (place == "Started" || place == "middleware"):
						want = "it: Stopping, it: Stopped"
					}
					if got != want {
						t.Errorf("journal:\ngot  %s\nwant %s", got, want)
					}
				}, actor.WithGuardian(actor.Strategy{Decide: always(d)}))
			})
		}
	}
}

func TestFailure_AProducerThatAlwaysFailsIsGivenUp(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		produced := 0
		pid := spawn(t, s, nil, "it", actor.PropsFromProducer(func() actor.Actor {
			produced++
			panic("never")
		}))
		watcher := s.Spawn(j.puppet("watcher"))
		s.Send(watcher, do(func(ctx actor.Context) { ctx.Watch(pid) }))
		j.check(t, "watcher: Started, watcher: Terminated it")
		if produced != 11 {
			t.Errorf("%d instances were tried, want 11", produced)
		}
		if err := s.TrySend(pid, "a"); !errors.Is(err, actor.ErrNoActor) {
			t.Errorf("TrySend = %v, want %v", err, actor.ErrNoActor)
		}
	})
}

func TestFailure_IsToldToTheAskerAndToNobodyElse(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		pid := s.Spawn(new(journal).puppet("it"))
		reason := errors.New("out of eggs")
		for name, f := range map[string]do{
			"panic":       fail(reason),
			"goexit":      func(actor.Context) { runtime.Goexit() },
			"reentrance":  func(ctx actor.Context) { ctx.ReenterAfter(completed(s), func(any, error) { panic(reason) }) },
			"after reply": func(ctx actor.Context) { ctx.Respond("fine"); panic(reason) },
			"unstashing": func(ctx actor.Context) {
				ctx.WithMessage("stashed").Stash()
				ctx.UnstashAll()
				panic(reason)
			},
		} {
			v, err := s.Ask(context.Background(), pid, f)
			if name == "after reply" {
				if v != "fine" || err != nil {
					t.Errorf("%s: Ask = %v, %v, want fine", name, v, err)
				}
				continue
			}
			if _, ok := errors.AsType[*actor.PanicError](err); !ok || errors.Is(err, actor.ErrNotDelivered) {
				t.Errorf("%s: Ask = %v, %v, want a *PanicError that is not ErrNotDelivered", name, v, err)
			}
			if name == "panic" && !errors.Is(err, reason) {
				t.Errorf("%s: Ask = %v, want it to be %v", name, err, reason)
			}
		}
		if v, err := within[string](t, s, pid, func(actor.Context) any { return "alive" }); v != "alive" || err != nil {
			t.Errorf("afterwards: %v, %v, want alive", v, err)
		}
	})
}

// What is told of a failure is told of the message that failed, whatever failed before.
func TestFailure_AfterOneOfAHook(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		pid := s.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case *actor.Restarting:
				panic("in the hook")
			case do:
				m(ctx)
			}
		}))
		for range 2 {
			_, err := within[any](t, s, pid, func(actor.Context) any { panic("of the message") })
			if p, ok := errors.AsType[*actor.PanicError](err); !ok || p.Value != "of the message" {
				t.Errorf("the asker is told %v, want the panic of the message", err)
			}
		}
	})
}

func completed(s *actor.System) *actor.Future {
	f := s.NewFuture(0)
	f.Complete("done")
	return f
}

// Whatever fails, nobody is left suspended, nothing is lost but the messages
// that failed, and everything ends.
func TestFailure_UnderLoad(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		const children, each = 10, 300
		var mu sync.Mutex
		handled := 0
		child := actor.PropsFromFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case int:
				mu.Lock()
				handled++
				mu.Unlock()
				switch m {
				case 0:
					runtime.Goexit()
				case 1, 2, 3:
					panic(m)
				}
			case *actor.Restarting:
				panic("here too")
			}
		})
		var j journal
		strategy := actor.Strategy{MaxRestarts: -1, Decide: func(error) actor.Directive {
			return actor.Directive(rand.IntN(2)) // restart or resume
		}}
		parent := spawn(t, s, nil, "parent", j.puppet("parent", actor.WithSupervisor(strategy)))
		var wg sync.WaitGroup
		for i := range children {
			pid := spawn(t, s, parent, fmt.Sprint(i), child)
			wg.Go(func() {
				for range each {
					s.Send(pid, rand.IntN(30))
				}
			})
		}
		wg.Wait()
		synctest.Wait()
		if want := children * each; handled != want {
			t.Errorf("%d messages were handled, want %d", handled, want)
		}
	}, actor.WithWorkers(4))
}

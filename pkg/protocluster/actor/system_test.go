package actor_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

func TestSystem_IDIsNewEachTime(t *testing.T) {
	a, b := newSystem(t), newSystem(t)
	if a.ID() == b.ID() || a.ID() == "" {
		t.Errorf("IDs = %q, %q, want two", a.ID(), b.ID())
	}
	if a.Root != a || a.Address() != "local" || a.EventStream() != a.Events() {
		t.Error("Root, Address or EventStream is wrong")
	}
}

func TestSystem_SpawnNamed(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		props := actor.PropsFromFunc(echo)
		pid := spawn(t, s, nil, "grain/user/a/b", props)
		_, err := s.SpawnNamed(props, "grain/user/a/b")
		if want := `actor: spawn "grain/user/a/b": actor: name taken`; !errors.Is(err, actor.ErrNameTaken) || err.Error() != want {
			t.Errorf("SpawnNamed = %v, want %s", err, want)
		}
		if err := s.StopAndWait(t.Context(), pid); err != nil {
			t.Error(err)
		}
		if _, err := s.SpawnNamed(props, "grain/user/a/b"); err != nil {
			t.Errorf("SpawnNamed after the stop = %v, want nil", err)
		}
		if _, err := s.SpawnNamed(nil, "x"); err == nil || !strings.Contains(err.Error(), "PropsFromProducer") {
			t.Errorf("SpawnNamed without Props = %v, want an error that says what to do", err)
		}
	})
}

func TestSystem_OneOfManyGetsTheName(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		for round := range 20 {
			var got atomic.Int32
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					if _, err := s.SpawnNamed(actor.PropsFromFunc(echo), fmt.Sprint(round)); err == nil {
						got.Add(1)
					}
				})
			}
			wg.Wait()
			if n := got.Load(); n != 1 {
				t.Errorf("%d actors got the name, want 1", n)
			}
		}
	})
}

func TestShutdown_StopsAllAndMayBeRepeated(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		parent := spawn(t, s, nil, "parent", j.puppet("parent"))
		spawn(t, s, parent, "child", j.puppet("child"))
		j.take()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if err := s.Shutdown(t.Context()); err != nil {
					t.Errorf("Shutdown = %v, want nil", err)
				}
			})
		}
		wg.Wait()
		j.check(t, "parent: Stopping, child: Stopping, child: Stopped, parent: Stopped")
		if n := workers(); n > 0 {
			t.Errorf("%d workers are left, want none", n)
		}
		if _, err := s.SpawnNamed(j.puppet("late"), "late"); !errors.Is(err, actor.ErrStopped) {
			t.Errorf("SpawnNamed afterwards = %v, want %v", err, actor.ErrStopped)
		}
		if pid := s.Spawn(j.puppet("late")); pid != nil {
			t.Errorf("Spawn afterwards = %v, want nil", pid)
		}
		if _, err := s.Ask(t.Context(), parent, "hello"); !errors.Is(err, actor.ErrNotDelivered) {
			t.Errorf("Ask afterwards = %v, want %v", err, actor.ErrNotDelivered)
		}
	})
}

func TestShutdown_IsBounded(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		stuck := s.Spawn(j.puppet("stuck"))
		s.Spawn(j.puppet("other"))
		gate := make(chan struct{})
		sends[any](s, stuck, do(func(actor.Context) { <-gate }), "never handled")
		j.take()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		err := s.Shutdown(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "actors still run") || !strings.Contains(err.Error(), "workers still run") {
			t.Errorf("Shutdown = %v, want what still runs", err)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("Shutdown took %v, want 1s", took)
		}
		j.check(t, "other: Stopping, other: Stopped")
		close(gate)
		if err := s.Shutdown(t.Context()); err != nil { // waits for the worker
			t.Errorf("the second Shutdown = %v, want nil", err)
		}
		j.check(t, "stuck: Stopping, stuck: Stopped")
	})
}

func TestShutdown_WhileAllSpawn(t *testing.T) {
	bubble(t, func(t *testing.T, _ *actor.System) {
		for range 20 {
			s := newSystem(t)
			var started, stopped atomic.Int32
			var props *actor.Props
			props = actor.PropsFromFunc(func(ctx actor.Context) {
				switch ctx.Message().(type) {
				case *actor.Started:
					if n := started.Add(1); n < 300 {
						ctx.Spawn(props)
						s.Spawn(props)
					}
				case *actor.Stopped:
					stopped.Add(1)
				}
			})
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() {
					for pid := s.Spawn(props); pid != nil; {
						pid = s.Spawn(props)
					}
				})
			}
			if err := s.Shutdown(t.Context()); err != nil {
				t.Errorf("Shutdown = %v, want nil", err)
			}
			wg.Wait()
			if a, b := started.Load(), stopped.Load(); a != b {
				t.Errorf("%d actors started and %d stopped", a, b)
			}
		}
	})
}

// A bubble does not end before its goroutines.
func TestShutdown_LeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 1000 {
			s := actor.NewSystem()
			pid := s.Spawn(actor.PropsFromFunc(echo, actor.WithReceiveTimeout(time.Second)))
			s.Scheduler().SendRepeatedly(0, time.Second, pid, "tick")
			s.RequestFuture(pid, "hello", time.Minute)
			if err := s.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		testkit.Advance(time.Hour)
		if n := workers(); n > 0 {
			t.Errorf("%d workers are left, want none", n)
		}
	})
}

package flights_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/background"
	"github.com/protocluster/workshop/pkg/protocluster/internal/flights"
)

var errGone = errors.New("gone")

// fly runs f in a bubble with Flights whose look-ups take a second and count
// themselves.
func fly(t *testing.T, f func(t *testing.T, join func(ctx context.Context) (*actor.PID, error), began, cancelled *int, tasks *background.Tasks)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		system := actor.NewSystem()
		tasks := background.NewTasks(t.Context())
		all := flights.New[string](system, tasks)
		began, cancelled := 0, 0
		join := func(ctx context.Context) (*actor.PID, error) {
			return all.Join(ctx, "user/1", errGone, func(ctx context.Context, id string) (*actor.PID, error) {
				began++
				select {
				case <-time.After(time.Second):
					return actor.NewPID("10.0.0.1:8090", id), nil
				case <-ctx.Done():
					cancelled++
					return nil, ctx.Err()
				}
			})
		}
		f(t, join, &began, &cancelled, tasks)
		if err := errors.Join(tasks.Stop(t.Context()), system.Shutdown(t.Context())); err != nil {
			t.Error(err)
		}
	})
}

func TestFlights_OneLookUpForAll(t *testing.T) {
	fly(t, func(t *testing.T, join func(context.Context) (*actor.PID, error), began, _ *int, _ *background.Tasks) {
		answers := make(chan error, 100)
		for range 100 {
			go func() {
				pid, err := join(t.Context())
				if err == nil && pid.ID != "user/1" {
					err = errors.New("another's PID")
				}
				answers <- err
			}()
		}
		for range 100 {
			if err := <-answers; err != nil {
				t.Error(err)
			}
		}
		if *began != 1 {
			t.Errorf("%d look-ups began, want 1", *began)
		}
		if _, err := join(t.Context()); err != nil || *began != 2 {
			t.Errorf("a later look-up = %v, the %d. in all; want the second", err, *began)
		}
	})
}

func TestFlights_EndOnlyWhenNobodyWaits(t *testing.T) {
	fly(t, func(t *testing.T, join func(context.Context) (*actor.PID, error), began, cancelled *int, _ *background.Tasks) {
		hasty, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		patient := make(chan error)
		go func() { _, err := join(t.Context()); patient <- err }()
		if _, err := join(hasty); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, actor.ErrNotDelivered) {
			t.Errorf("Join whose context ends = %v, want DeadlineExceeded, not delivered", err)
		}
		if err := <-patient; err != nil || *cancelled != 0 {
			t.Errorf("who waits on = %v, %d look-ups cancelled; want an answer", err, *cancelled)
		}
		alone, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, _ = join(alone)
		synctest.Wait()
		if *began != 2 || *cancelled != 1 {
			t.Errorf("%d began, %d cancelled; want the second to be given up", *began, *cancelled)
		}
	})
}

func TestFlights_NoneAfterTheEnd(t *testing.T) {
	fly(t, func(t *testing.T, join func(context.Context) (*actor.PID, error), _, _ *int, tasks *background.Tasks) {
		if err := tasks.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := join(t.Context()); !errors.Is(err, errGone) {
			t.Errorf("Join after the end = %v, want %v", err, errGone)
		}
	})
}

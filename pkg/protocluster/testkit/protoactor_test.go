package testkit_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

func TestTestProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newSystem(t)
		probe := testkit.NewTestProbe()
		pid := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return probe }))
		to := system.Root.Spawn(actor.PropsFromFunc(player))
		probe.Request(to, &ping{1})
		reply, err := testkit.GetNextMessageOf[*pong](probe, time.Second)
		if err != nil || reply.Number != 1 {
			t.Errorf("got %v, %v; want pong 1", reply, err)
		}
		if err := probe.ExpectNoMessage(50 * time.Millisecond); err != nil {
			t.Error(err)
		}
		if !pid.Equal(probe.PID()) {
			t.Errorf("PID is %v, want %v", probe.PID(), pid)
		}

		for i := range 4 {
			system.Root.Send(pid, i)
		}
		system.Root.Send(pid, "five")
		if _, err := testkit.GetNextMessageWhere(probe, func(i int) bool { return i == 9 }, 0); err == nil || !strings.Contains(err.Error(), "got int 0") {
			t.Errorf("got %v, want the message that is not 9", err)
		}
		if got, err := testkit.FishForMessage(probe, func(i int) bool { return i == 2 }, 0); err != nil || got != 2 {
			t.Errorf("got %v, %v; want 2", got, err)
		}
		if got, err := testkit.FishForMessageOf[string](probe, 0); err != nil || got != "five" {
			t.Errorf("got %v, %v; want five", got, err)
		}
		system.Root.Send(pid, 6)
		if got, err := probe.GetNextMessage(0); err != nil || got != 6 {
			t.Errorf("got %v, %v; want 6", got, err)
		}
		takes(t, "the default timeout", time.Second, func() {
			if got, err := probe.GetNextMessage(0); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, %v; want a timeout", got, err)
			}
		})
	})
}

func TestTestProbeSendsOnceItIsSpawned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newSystem(t)
		probe := testkit.NewTestProbe()
		to := system.Spawn(actor.PropsFromFunc(player))
		probe.Request(to, &ping{1})
		probe.Request(to, &ping{2})
		probe.Watch(to)
		if err := probe.ExpectNoMessage(time.Hour); err != nil {
			t.Error(err)
		}
		system.Spawn(probe.Props())
		for want := 1; want <= 2; want++ {
			if got, err := testkit.GetNextMessageOf[*pong](probe, 0); err != nil || got.Number != want {
				t.Errorf("got %v, %v; want pong %d", got, err, want)
			}
		}
		probe.Unwatch(to)
		synctest.Wait()
		system.Stop(to)
		if err := probe.ExpectNoMessage(time.Hour); err != nil {
			t.Error(err)
		}
	})
}

func TestTestProbeThatIsNotSpawned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		probe := testkit.NewTestProbe()
		if got := probe.PID(); got != nil {
			t.Errorf("PID is %v", got)
		}
		_, err := probe.GetNextMessage(time.Minute)
		if err == nil || !strings.Contains(err.Error(), "is not spawned: system.Spawn(probe.Props())") {
			t.Errorf("got %v, want the way to spawn it", err)
		}
	})
}

package actor_test

import (
	"context"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

func TestScheduler(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		pid := s.Spawn(j.puppet("it"))
		j.take()
		s.Scheduler().SendOnce(time.Second, pid, "once")
		never := s.Scheduler().SendOnce(time.Second, pid, "never")
		stop := s.Scheduler().SendRepeatedly(500*time.Millisecond, 2*time.Second, pid, "often")
		never()
		never()
		testkit.Advance(3 * time.Second)
		j.check(t, "it: often, it: once, it: often")
		stop()
		testkit.Advance(time.Hour)
		j.check(t, "")
		s.Scheduler().SendOnce(0, pid, "now")
		s.Scheduler().SendOnce(time.Second, pid, "too late")
		s.Scheduler().SendRepeatedly(time.Second, time.Second, pid, "too late")
		j.check(t, "it: now")
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		s.Scheduler().SendOnce(time.Second, pid, "too late")()
		j.deadLetters(s)
		testkit.Advance(time.Hour)
		j.check(t, "it: Stopping, it: Stopped")
	})
}

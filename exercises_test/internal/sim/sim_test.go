package sim_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/exercises_test/internal/sim"
)

// run runs f in a bubble, and returns what was logged in the first second.
func run(t *testing.T, seed uint64, f func(s *sim.Sim, log func(string))) (logged []string) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		s := sim.New(rand.New(rand.NewPCG(seed, 0)))
		f(s, func(what string) {
			logged = append(logged, fmt.Sprintf("%v %s", s.Since().Truncate(100*time.Millisecond), what))
		})
		s.Run(time.Second)
		if got := s.Since(); got != time.Second {
			t.Errorf("Run(1s) ended after %v", got)
		}
	})
	return logged
}

func TestProcess(t *testing.T) {
	const half = 500 * time.Millisecond
	for name, row := range map[string]struct {
		f    func(s *sim.Sim, p, q *sim.Process, log func(string))
		want []string
	}{
		"timers": {func(s *sim.Sim, p, _ *sim.Process, log func(string)) {
			p.After(half, func() { log("late") })
			p.After(0, func() { log("early") })
			s.At(half, func() { log("at") })
			p.After(time.Second, func() { log("too late") })
		}, []string{"0s early", "500ms late", "500ms at"}},
		"messages in order": {func(_ *sim.Sim, p, q *sim.Process, log func(string)) {
			for i := range 5 {
				p.Send(q, func() { log(fmt.Sprint(i)) })
			}
			p.Send(p, func() { log("own") })
		}, []string{"0s own", "0s 0", "0s 1", "0s 2", "0s 3", "0s 4"}},
		"paused": {func(s *sim.Sim, p, q *sim.Process, log func(string)) {
			q.Pause()
			q.After(0, func() { log("timer") })
			p.Send(q, func() { log("message") })
			s.At(half, q.Resume)
			q.After(half+1, func() { log("after") })
		}, []string{"500ms timer", "500ms message", "500ms after"}},
		"killed": {func(_ *sim.Sim, p, q *sim.Process, log func(string)) {
			p.Send(q, func() { log("sent before") })
			p.After(0, func() { log("timer") })
			q.Send(p, func() { log("to the dead") })
			p.Kill()
			p.Send(q, func() { log("from the dead") })
		}, []string{"0s sent before"}},
		"cut": {func(s *sim.Sim, p, q *sim.Process, log func(string)) {
			p.Send(q, func() { log("under way") })
			s.Cut("p", "q")
			q.Send(p, func() { log("cut") })
			s.At(half, func() {
				s.Heal("q", "p")
				q.Send(p, func() { log("healed") })
			})
		}, []string{"500ms healed"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := run(t, 1, func(s *sim.Sim, log func(string)) { row.f(s, s.Process("p"), s.Process("q"), log) })
			if !slices.Equal(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestProcess_State(t *testing.T) {
	run(t, 1, func(s *sim.Sim, _ func(string)) {
		p := s.Process("p")
		if !p.Running() || p.Killed() {
			t.Error("a new process does not run")
		}
		if p.Pause(); p.Running() || p.Killed() {
			t.Error("a process that is paused runs, or is killed")
		}
		p.Resume()
		if p.Kill(); p.Running() || !p.Killed() {
			t.Error("a process that was killed runs")
		}
	})
}

// Delays depend on the seed, the link and the message, and on nothing else.
func TestSim_SameSeedSameDelays(t *testing.T) {
	delays := func(seed uint64, others int) (at []time.Duration) {
		run(t, seed, func(s *sim.Sim, _ func(string)) {
			p, q, r := s.Process("p"), s.Process("q"), s.Process("r")
			for range others {
				p.Send(r, func() {})
			}
			for range 3 {
				p.Send(q, func() { at = append(at, s.Since()) })
			}
		})
		return at
	}
	first := delays(1, 0)
	if got := delays(1, 7); !slices.Equal(got, first) {
		t.Errorf("messages on another link changed the delays from %v to %v", first, got)
	}
	if got := delays(2, 0); slices.Equal(got, first) {
		t.Errorf("two seeds have the delays %v", got)
	}
	for _, d := range first {
		if d < time.Millisecond || d > 21*time.Millisecond {
			t.Errorf("a message took %v", d)
		}
	}
}

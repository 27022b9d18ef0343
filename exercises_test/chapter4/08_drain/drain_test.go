package drain_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/protocluster/workshop/chapters/todo"
	"github.com/protocluster/workshop/exercises_test/internal/story"
	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

func TestAdmit_NothingNewOnceDrainHasBegun(t *testing.T) {
	story.Bubble(t, "From the first moment of a drain nothing new is let in, and whoever asks is told to try elsewhere.", func(t *testing.T, s *story.Story) {
		m := newMember(s, user(1))
		m.takes["Cordon"] = 2 * time.Second
		d := admitting(m)
		var drains sync.WaitGroup
		var err error
		drains.Go(func() { err = d.Drain(t.Context()) })
		defer drains.Wait()
		for _, when := range []string{"the member is being cordoned", "the drain is over"} {
			testkit.Advance(time.Second)
			if got := s.Did("Admit(user/2)", d.Admit(user(2))); !errors.Is(got, actor.ErrNotDelivered) {
				if when == "the drain is over" {
					drains.Wait()
				}
				s.Need(unwritten(got, err), story.Failure{Read: "nothing-new"})
				s.Fatal(story.Failure{
					Misconception: "everybody-is-welcome",
					Happened:      "Drain has begun: " + when + ". Admit was asked for user/2.", Got: fmt.Sprint("error ", got), Want: "an actor.ErrNotDelivered",
					Lesson: "What starts now has to be stopped in a moment. Refused with the right error, it starts elsewhere.", Read: "nothing-new",
				})
			}
			testkit.Advance(2 * time.Second)
		}
	})
}

// unwritten returns what a stub said, if one of those did.
func unwritten(errs ...error) error {
	for _, err := range errs {
		if _, stub := errors.AsType[*todo.UnwrittenError](err); stub {
			return err
		}
	}
	return nil
}

func TestDrain_TheViewChangesFirst(t *testing.T) {
	story.Bubble(t, "First all others see that the member is leaving. Then it stops what it has. Then it goes.", func(t *testing.T, s *story.Story) {
		m := newMember(s, user(1), user(2), user(3))
		m.takes["Cordon"], m.takes["Withdraw"] = 500*time.Millisecond, 100*time.Millisecond
		for n := range 3 {
			m.takes["Stop "+user(n+1).String()] = time.Duration(n+1) * 300 * time.Millisecond
		}
		drained(t.Context(), m)
		cordon, withdraw := m.one("Cordon", ""), m.one("Withdraw", "")
		for n := range 3 {
			stop := m.one("Stop "+user(n+1).String(), "")
			if stop.from < cordon.to {
				s.Fatal(story.Failure{
					Misconception: "the-view-comes-last",
					Happened:      fmt.Sprintf("%s began at %v, when the others did not know yet that the member is leaving.", stop.what, stop.from),
					Got:           fmt.Sprint("Cordon ended at ", cordon.to), Want: "Cordon ends before any Stop begins",
					Lesson: "Until they know, they go on sending messages here, for which there is nobody any more.", Read: "the-steps",
				})
			}
			if withdraw.from < stop.to {
				s.Fatal(story.Failure{
					Misconception: "gone-before-it-is-empty",
					Happened:      fmt.Sprintf("Withdraw began at %v, and %s ended at %v.", withdraw.from, stop.what, stop.to),
					Lesson:        "Who is out of the view has nothing any more, so others may start it. Here it was still active.", Read: "the-steps",
				})
			}
		}
	})
}

func TestDrain_AllAtTheSameTime(t *testing.T) {
	story.Bubble(t, "A drain takes as long as the slowest activation, not as long as all of them.", func(t *testing.T, s *story.Story) {
		m := newMember(s)
		for n := range 20 {
			m.active = append(m.active, user(n))
			m.takes["Stop "+user(n).String()] = time.Second
		}
		begin := time.Now()
		drained(t.Context(), m)
		if took := time.Since(begin); took > time.Second {
			s.Fatal(story.Failure{
				Misconception: "one-after-another",
				Happened:      "Twenty activations take a second each to stop.", Got: took, Want: time.Second,
				Lesson: "They do not need each other to stop. With a thousand of them, and a minute of time, it matters.", Read: "the-steps",
			})
		}
	})
}

func TestDrain_LooksAgain(t *testing.T) {
	story.Bubble(t, "What was let in before, and starts while others stop, is stopped as well.", func(t *testing.T, s *story.Story) {
		m := newMember(s, user(1))
		for n := 1; n <= 3; n++ {
			m.takes["Stop "+user(n).String()] = time.Second
		}
		m.late[user(2)], m.late[user(3)] = 300*time.Millisecond, 1300*time.Millisecond
		drained(t.Context(), m)
		withdraw := m.one("Withdraw", "")
		for n := 1; n <= 3; n++ {
			if stop := m.one("Stop "+user(n).String(), "looks-once"); withdraw.from < stop.to {
				s.Fatal(story.Failure{
					Misconception: "gone-before-it-is-empty", Happened: fmt.Sprintf("Withdraw began before %s had ended.", stop.what),
					Lesson: "Who is out of the view must have nothing any more.", Read: "the-steps",
				})
			}
		}
	})
}

func TestDrain_EveryStepIsTaken(t *testing.T) {
	story.Bubble(t, "Whatever fails, and even if there is no time, every step is taken, and every error is told.", func(t *testing.T, s *story.Story) {
		drained(t.Context(), newMember(s, user(1)))
		cordon, stop1, stop2, withdraw := errors.New("no view"), errors.New("stuck"), errors.New("panicked"), errors.New("no store")
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		for range 20 { // of two things that are ready, select takes any
			for _, ctx := range []context.Context{t.Context(), ended} {
				m := newMember(s, user(1), user(2), user(3))
				m.fails = map[string]error{"Cordon": cordon, "Stop user/1": stop1, "Stop user/2": stop2, "Withdraw": withdraw}
				err := s.Did("Drain", admitting(m).Drain(ctx))
				for _, what := range []string{"Cordon", "Stop user/1", "Stop user/2", "Stop user/3", "Withdraw"} {
					m.one(what, "the-first-error-is-the-end")
				}
				m.contains(err, cordon, stop1, stop2, withdraw)
			}
		}
	})
}

func TestDrain_NobodyUsesUpTheTime(t *testing.T) {
	story.Bubble(t, "A drain ends by its deadline, and a step that hangs leaves time for those after it.", func(t *testing.T, s *story.Story) {
		const limit = 10 * time.Second
		for _, hanging := range []string{"", "Cordon", "Stop user/1", "Withdraw"} {
			m := newMember(s, user(1), user(2))
			m.takes["Cordon"], m.takes["Stop user/2"] = 2*time.Second, 4*time.Second // of ten, that has to be possible
			if hanging != "" {
				m.takes[hanging] = time.Hour
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			begin := time.Now()
			err := s.Did("Drain within 10s, "+hanging+" hangs", admitting(m).Drain(ctx))
			cancel()
			if took := time.Since(begin); took > limit {
				s.Fatal(story.Failure{
					Happened: fmt.Sprintf("%s hangs until its ctx ends.", hanging), Got: took, Want: "10s at most",
					Lesson: "Whoever restarts the member waits until the deadline, and then kills it.", Read: "the-deadline",
				})
			}
			s.Need(unwritten(err), story.Failure{Read: "the-deadline"})
			if errors.Is(err, context.DeadlineExceeded) != (hanging != "") {
				s.Fatal(story.Failure{
					Misconception: "the-first-error-is-the-end",
					Happened:      fmt.Sprintf("What hangs is %q. Cordon takes 2s, and the stop of user/2 takes 4s.", hanging), Got: err, Want: "a context.DeadlineExceeded if something hangs, and only then",
					Lesson: "A step has enough time if the others do not need it, and is told about if it has not.", Read: "the-deadline",
				})
			}
			for _, what := range []string{"Cordon", "Stop user/1", "Stop user/2", "Withdraw"} {
				if st := m.one(what, "the-first-error-is-the-end"); !st.live {
					s.Fatal(story.Failure{
						Misconception: "the-deadline-is-for-each",
						Happened:      fmt.Sprintf("%s hung, and %s began at %v, when its ctx had ended.", hanging, what, st.from),
						Got:           "no time at all", Want: "a part of the 10s for each step",
						Lesson: "A step without time is a step not taken. Give the first ones less than there is.", Read: "the-deadline",
					})
				}
			}
		}
	})
}

func TestDrain_TwiceIsOnce(t *testing.T) {
	story.Bubble(t, "Whoever calls Drain while it runs, or later, waits for it and gets the same answer.", func(t *testing.T, s *story.Story) {
		m := newMember(s, user(1))
		stuck := errors.New("stuck")
		m.takes["Stop user/1"], m.fails["Stop user/1"] = time.Second, stuck
		d := admitting(m)
		errs, took := make([]error, 4), make([]time.Duration, 4)
		call := func(i int, ctx context.Context) {
			begin := time.Now()
			errs[i] = s.Did(fmt.Sprintf("call %d of Drain", i+1), d.Drain(ctx))
			took[i] = time.Since(begin)
		}
		var calls sync.WaitGroup
		calls.Go(func() { call(0, t.Context()) })
		testkit.Advance(300 * time.Millisecond)
		calls.Go(func() { call(1, t.Context()) })
		calls.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			call(2, ctx)
		})
		calls.Wait()
		call(3, t.Context())
		s.Need(unwritten(errs...), story.Failure{Read: "twice"})
		m.one("Cordon", "twice-is-twice")
		m.one("Stop user/1", "twice-is-twice")
		m.one("Withdraw", "twice-is-twice")
		for i, want := range []struct {
			err  error
			took time.Duration
			why  string
		}{
			{stuck, time.Second, "It is the first, and one stop took 1s and failed."},
			{stuck, 700 * time.Millisecond, "It came after 300ms, and the first call had 700ms to go."},
			{context.DeadlineExceeded, 100 * time.Millisecond, "It came after 300ms, with a ctx of 100ms."},
			{stuck, 0, "It came when the drain was over."},
		} {
			if !errors.Is(errs[i], want.err) || took[i] != want.took {
				s.Fatal(story.Failure{
					Misconception: "the-second-has-nothing-to-do",
					Happened:      fmt.Sprintf("Call %d of Drain: %s", i+1, want.why),
					Got:           fmt.Sprintf("%v after %v", errs[i], took[i]), Want: fmt.Sprintf("%v after %v", want.err, want.took),
					Lesson: "Two may want the member to leave: a signal, and an operator. Both go on when Drain returns, and kill the process.", Read: "twice",
				})
			}
		}
	})
}

func TestDrainer_ConcurrentUse(t *testing.T) {
	story.Bubble(t, "Of many that call Drain at the same time one drains, while others ask to be let in.", func(t *testing.T, s *story.Story) {
		m := newMember(s, user(1))
		m.takes["Stop user/1"] = time.Second
		d := admitting(m)
		errs := make([]error, 8)
		var callers sync.WaitGroup
		for i := range errs {
			callers.Go(func() { _ = d.Admit(user(i)) })
			callers.Go(func() { errs[i] = d.Drain(t.Context()) })
			callers.Go(func() { _ = d.Admit(user(i)) })
		}
		callers.Wait()
		s.Need(errors.Join(errs...), story.Failure{Happened: "Every step went well, and Drain returned an error.", Lesson: "All callers get the answer of the one.", Read: "twice"})
		m.one("Cordon", "twice-is-twice")
		m.one("Stop user/1", "twice-is-twice")
		m.one("Withdraw", "twice-is-twice")
	})
}

func TestDrain_NothingToStop(t *testing.T) {
	story.Bubble(t, "A member that hosts nothing leaves at once, with a deadline and without.", func(t *testing.T, s *story.Story) {
		for _, limit := range []time.Duration{time.Second, time.Hour} {
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			begin := time.Now()
			m := newMember(s)
			drained(ctx, m)
			cancel()
			m.one("Cordon", "")
			m.one("Withdraw", "")
			if took := time.Since(begin); took != 0 {
				s.Fatal(story.Failure{
					Happened: "Nothing was active.", Got: took, Want: "no time at all", Lesson: "Wait for what happens, not for a while.", Read: "the-deadline",
				})
			}
		}
	})
}

package drain_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	drain "github.com/protocluster/workshop/chapters/chapter4/08_drain"
	"github.com/protocluster/workshop/exercises_test/internal/story"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

func user(n int) cluster.Identity { return cluster.Identity{Kind: "user", Identity: fmt.Sprint(n)} }

// step is something that a member was told to do, from when to when.
type step struct {
	what     string
	from, to time.Duration
	live     bool // its ctx had not ended when it began
}

// member is a drain.Member that takes time, fails on demand, and remembers. A step
// that takes longer than its ctx ends with the error of that.
type member struct {
	s     *story.Story
	begin time.Time
	takes map[string]time.Duration // by "Cordon", "Stop user/1" and so on; not at all by default
	fails map[string]error
	late  map[cluster.Identity]time.Duration // what was let in before, and shows up then

	mu     sync.Mutex
	active []cluster.Identity
	steps  []step
}

func newMember(s *story.Story, active ...cluster.Identity) *member {
	return &member{
		s: s, begin: time.Now(), takes: make(map[string]time.Duration), fails: make(map[string]error),
		late: make(map[cluster.Identity]time.Duration), active: active,
	}
}

func (m *member) Cordon(ctx context.Context) error   { return m.do(ctx, "Cordon") }
func (m *member) Withdraw(ctx context.Context) error { return m.do(ctx, "Withdraw") }

func (m *member) Activations() []cluster.Identity {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, at := range m.late {
		if time.Since(m.begin) >= at {
			m.active = append(m.active, id)
			delete(m.late, id)
		}
	}
	return slices.Clone(m.active)
}

func (m *member) Stop(ctx context.Context, id cluster.Identity) error {
	err := m.do(ctx, "Stop "+id.String())
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil {
		m.active = slices.DeleteFunc(m.active, func(a cluster.Identity) bool { return a == id })
	}
	return err
}

func (m *member) do(ctx context.Context, what string) error {
	done := step{what: what, from: time.Since(m.begin), live: ctx.Err() == nil}
	m.s.Note("member", "%s begins", what)
	err := m.fails[what]
	if d := m.takes[what]; d > 0 {
		select {
		case <-time.After(d):
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	m.s.Note("member", "%s ends%s", what, suffix(err))
	m.mu.Lock()
	defer m.mu.Unlock()
	done.to = time.Since(m.begin)
	m.steps = append(m.steps, done)
	return err
}

func suffix(err error) string {
	if err == nil {
		return ""
	}
	return ": " + err.Error()
}

// all returns the steps of that name, of which there should be so many.
func (m *member) all(what string, many int, misconception string) []step {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := slices.DeleteFunc(slices.Clone(m.steps), func(s step) bool { return s.what != what })
	if len(found) != many {
		m.s.Fatal(story.Failure{
			Misconception: misconception,
			Happened:      fmt.Sprintf("Drain has returned. How often was %s called?", what),
			Got:           len(found), Want: many,
			Lesson: "Whatever is left out, somebody else has to clear up; whatever is done twice was not needed.", Read: "the-steps",
		})
	}
	return found
}

// one returns the only step of that name.
func (m *member) one(what, misconception string) step { return m.all(what, 1, misconception)[0] }

// admitting returns a Drainer of m that lets everything in.
func admitting(m *member) *drain.Drainer {
	d := drain.New(m)
	m.s.Need(m.s.Did("Admit(user/9)", d.Admit(user(9))), story.Failure{
		Happened: "Admit refused, and nobody has called Drain.", Lesson: "A member that stays takes whatever comes.", Read: "nothing-new",
	})
	return d
}

// drained drains m, which must be no error.
func drained(ctx context.Context, m *member) {
	m.s.Need(m.s.Did("Drain", admitting(m).Drain(ctx)), story.Failure{
		Happened: "Every step went well, and Drain returned an error.", Lesson: "Join the errors of the steps; those of none are none.", Read: "the-steps",
	})
}

// contains fails unless err is each of those.
func (m *member) contains(err error, want ...error) {
	for _, w := range want {
		if !errors.Is(err, w) {
			m.s.Fatal(story.Failure{
				Misconception: "the-first-error-is-the-end",
				Happened:      "A step failed, and what Drain returned does not say so.", Got: err, Want: w,
				Lesson: "Whoever reads the log of a failed restart wants to know all that went wrong.", Read: "the-steps",
			})
		}
	}
}

package actor_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
)

// newSystem returns a system that ends with the test and does not log.
func newSystem(t testing.TB, opts ...actor.SystemOption) *actor.System {
	t.Helper()
	s := actor.NewSystem(append([]actor.SystemOption{actor.WithLogger(slog.New(slog.DiscardHandler))}, opts...)...)
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown = %v, want nil", err)
		}
	})
	return s
}

// bubble runs f in a bubble with a system of its own.
func bubble(t *testing.T, f func(t *testing.T, s *actor.System), opts ...actor.SystemOption) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, newSystem(t, opts...)) })
}

// do is a message that has a puppet run it.
type do func(ctx actor.Context)

// fail is a do that panics with v.
func fail(v any) do { return func(actor.Context) { panic(v) } }

// journal notes what happens, by whichever goroutine.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

// take waits until nothing happens any more and returns what was noted since
// the last time.
func (j *journal) take() []string {
	synctest.Wait()
	j.mu.Lock()
	defer j.mu.Unlock()
	lines := j.lines
	j.lines = nil
	return lines
}

// check compares what was noted with want, given as one text.
func (j *journal) check(t testing.TB, want string) {
	t.Helper()
	if got := strings.Join(j.take(), ", "); got != want {
		t.Errorf("journal:\ngot  %s\nwant %s", got, want)
	}
}

// puppet returns the Props of an actor that notes its messages under name, and
// runs each do.
func (j *journal) puppet(name string, opts ...actor.PropsOption) *actor.Props {
	return actor.PropsFromFunc(func(ctx actor.Context) { j.act(name, ctx) }, opts...)
}

func (j *journal) act(name string, ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case do:
		m(ctx)
	case *actor.Terminated:
		who := m.Who.String()
		j.add("%s: Terminated %s", name, who[strings.LastIndex(who, "/")+1:])
	case string:
		j.add("%s: %s", name, m)
	default:
		j.add("%s: %s", name, strings.TrimPrefix(fmt.Sprintf("%T", m), "*actor."))
	}
}

// spawn starts an actor under a name, as a child if parent is not nil.
func spawn(t testing.TB, s *actor.System, parent *actor.PID, name string, p *actor.Props) *actor.PID {
	t.Helper()
	if parent == nil {
		pid, err := s.SpawnNamed(p, name)
		if err != nil {
			t.Fatal(err)
		}
		return pid
	}
	pid, err := within[*actor.PID](t, s, parent, func(ctx actor.Context) any {
		pid, err := ctx.SpawnNamed(p, name)
		if err != nil {
			return err
		}
		return pid
	})
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// within has a puppet run f and returns what f does.
func within[R any](t testing.TB, s *actor.System, pid *actor.PID, f func(ctx actor.Context) any) (R, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return actor.Ask[R](ctx, s, pid, do(func(ctx actor.Context) { ctx.Respond(f(ctx)) }))
}

// deadLetters notes the system's dead letters.
func (j *journal) deadLetters(s *actor.System) {
	s.Events().Subscribe(func(event any) {
		if d, ok := event.(*actor.DeadLetter); ok {
			j.add("dead %v: %v", d.Message, d.Reason)
		}
	})
}

// sends puts messages into a mailbox in order.
func sends[M any](s *actor.System, to *actor.PID, messages ...M) {
	for _, m := range messages {
		s.Send(to, m)
	}
}

// sorted is lines in an order of their own, for what happens side by side.
func sorted(lines []string) string {
	slices.Sort(lines)
	return strings.Join(lines, ", ")
}

// pass lets d pass for the goroutine that calls it; many may at a time.
func pass(d time.Duration) { <-time.After(d) }

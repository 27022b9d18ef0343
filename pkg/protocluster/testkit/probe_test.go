package testkit_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

type (
	ping struct{ Number int }
	pong struct{ Number int }
)

// player answers each ping with a pong.
func player(ctx actor.Context) {
	if m, ok := ctx.Message().(*ping); ok {
		ctx.Respond(&pong{m.Number})
	}
}

// newSystem is a system that ends with the test.
func newSystem(t testing.TB) *actor.System {
	t.Helper()
	system := actor.NewSystem()
	t.Cleanup(func() {
		if err := system.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return system
}

// failed is a testing.TB that keeps what it fails with.
type failed struct {
	testing.TB
	story string
}

func (f *failed) Helper() {}

func (f *failed) Fatal(args ...any) {
	f.story = fmt.Sprint(args...)
	panic(f)
}

// fails returns what ends a test that does f.
func fails(t testing.TB, f func(*failed)) string {
	t.Helper()
	inner := &failed{TB: t}
	func() {
		defer func() {
			if v := recover(); v != nil && v != any(inner) {
				panic(v)
			}
		}()
		f(inner)
		t.Error("the test did not fail")
	}()
	return inner.story
}

func TestProbeTalks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newSystem(t)
		probe, other := testkit.NewProbe(t, system), testkit.NewProbe(t, system)
		to := system.Spawn(actor.PropsFromFunc(player))

		probe.Request(to, &ping{1})
		if got := testkit.Expect[*pong](probe); got.Number != 1 {
			t.Errorf("got pong %d, want 1", got.Number)
		}

		other.Request(probe.PID(), &ping{2})
		testkit.Expect[*ping](probe)
		if got := probe.Sender(); !got.Equal(other.PID()) {
			t.Errorf("sent by %v, want %v", got, other.PID())
		}
		probe.Respond("an answer")
		testkit.Expect[string](other)
		probe.Forward(to)
		if got := testkit.Expect[*pong](other); got.Number != 2 {
			t.Errorf("got pong %d, want 2", got.Number)
		}

		probe.Watch(to)
		system.Stop(to)
		if got := testkit.Expect[*actor.Terminated](probe); !got.Who.Equal(to) {
			t.Errorf("%v terminated, want %v", got.Who, to)
		}
		takes(t, "an hour of nothing", time.Hour, func() { probe.ExpectNothing(time.Hour) })
	})
}

func TestProbeWaitsForItsPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newSystem(t)
		probe := testkit.NewProbe(t, system)
		probe.Patience = time.Minute
		time.AfterFunc(59*time.Second, func() { system.Send(probe.PID(), 1) })
		takes(t, "a late message", 59*time.Second, func() { testkit.Expect[int](probe) })

		time.AfterFunc(40*time.Second, func() { system.Send(probe.PID(), 2) })
		takes(t, "fishing in vain", time.Minute, func() {
			_, err := testkit.FishForMessage(probe, func(i int) bool { return i > 2 }, 0)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want a timeout", err)
			}
		})
	})
}

func TestProbeTellsTheStory(t *testing.T) {
	tests := []struct {
		name string
		send []any
		want func(*testkit.Probe)
		says []string
	}{
		{name: "nothing came", want: func(p *testkit.Probe) { testkit.Expect[string](p) },
			says: []string{"got no string within 1s", "it never got anything"}},
		{name: "another type", send: []any{7, "next"}, want: func(p *testkit.Probe) { testkit.Expect[*pong](p) },
			says: []string{"got int 7, want *testkit_test.pong", "2 messages", "after 0s: int 7 from nobody\n", "string next from nobody (not taken yet)"}},
		{name: "fished in vain", send: []any{1, 2}, want: func(p *testkit.Probe) { testkit.FishFor[string](p, nil) },
			says: []string{"got no string within 1s", "2 messages", "int 1", "int 2"}},
		{name: "not nothing", send: []any{"boo"}, want: func(p *testkit.Probe) { p.ExpectNothing(time.Second) },
			says: []string{"within 1s, want none", "string boo from nobody (not taken yet)"}},
		{name: "long", send: make([]any, 30), want: func(p *testkit.Probe) { p.ExpectNothing(time.Second) },
			says: []string{"30 messages", "the last 20"}},
		{name: "large", send: []any{strings.Repeat("ä", 1000)}, want: func(p *testkit.Probe) { testkit.Expect[int](p) },
			says: []string{"ääää…"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				system := newSystem(t)
				got := fails(t, func(inner *failed) {
					probe := testkit.NewProbe(inner, system)
					for _, m := range tt.send {
						system.Send(probe.PID(), m)
					}
					synctest.Wait()
					tt.want(probe)
				})
				for _, want := range tt.says {
					if !strings.Contains(got, want) {
						t.Errorf("it says\n%s\nwithout %q", got, want)
					}
				}
			})
		})
	}
}

func TestProbeNeedsASystemThatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := actor.NewSystem()
		if err := system.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := fails(t, func(inner *failed) { testkit.NewProbe(inner, system) })
		if !strings.Contains(got, "shut down") {
			t.Errorf("it says %q", got)
		}
	})
}

func TestTapsSeeWhatTheActorSees(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newSystem(t)
		mailbox, received, sent := testkit.NewTestProbe(), testkit.NewTestProbe(), testkit.NewTestProbe()
		handled := make(chan struct{})
		to := system.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(*ping); ok {
				<-handled
				player(ctx)
			}
		}, testkit.WithMailboxProbe(mailbox), testkit.WithReceiveProbe(received), testkit.WithSendProbe(sent)))
		system.Send(to, &ping{1})
		if _, err := testkit.GetNextMessageOf[*ping](mailbox, 0); err != nil {
			t.Error(err)
		}
		for _, p := range []*testkit.Probe{received, sent} {
			if err := p.ExpectNoMessage(time.Minute); err != nil {
				t.Error(err)
			}
		}
		close(handled)
		if _, err := testkit.GetNextMessageOf[*ping](received, 0); err != nil {
			t.Error(err)
		}
		if _, err := testkit.GetNextMessageOf[*pong](sent, 0); err != nil {
			t.Error(err)
		}
	})
}

package actor_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// echo answers every string and int with itself.
func echo(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case string, int:
		ctx.Respond(m)
	case do:
		m(ctx)
	}
}

func silent(actor.Context) {}

func TestFuture_AnyNumberMayWait(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		f := s.NewFuture(time.Minute)
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				switch i % 3 {
				case 0:
					<-f.Done()
				case 1:
					pass(time.Duration(i) * time.Second) // some come late
				}
				if v, err := f.Result(); v != "yes" || err != nil {
					t.Errorf("Result = %v, %v, want yes", v, err)
				}
			})
		}
		testkit.Advance(7 * time.Second)
		if f.Completed() || !f.Complete("yes") || !f.Completed() {
			t.Error("the future was not completed by Complete alone")
		}
		if f.Complete("no") || f.Fail(errors.New("no")) {
			t.Error("a future was completed twice")
		}
		wg.Wait()
	})
}

func TestFuture_TimesOutByClass(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		deaf := s.Spawn(actor.PropsFromFunc(silent))
		ask := func(ctx context.Context, cancel context.CancelFunc) error {
			defer cancel()
			_, err := s.Ask(ctx, deaf, "hello")
			return err
		}
		rows := []struct {
			name      string
			err       func() error
			delivered bool // maybe
			deadline  bool
			text      string
		}{
			{"never sent", func() error { return result(s.NewFuture(time.Second)) }, false, true, "actor: not delivered: no reply within 1s"},
			{"sent", func() error { return result(s.RequestFuture(deaf, "hello", time.Second)) }, true, true, "actor: outcome unknown: the message may or may not have been executed: no reply within 1s"},
			{"too late already", func() error { return result(s.NewFuture(-time.Second)) }, false, true, "actor: not delivered: no reply within -1s"},
			{"Ask's deadline", func() error { return ask(context.WithTimeout(t.Context(), time.Second)) }, true, true, "actor: outcome unknown: the message may or may not have been executed: no reply before the deadline"},
			{"Ask cancelled", func() error {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				return ask(ctx, cancel)
			}, true, false, "actor: outcome unknown: the message may or may not have been executed: context canceled"},
			{"Ask after the deadline", func() error { return ask(context.WithTimeout(t.Context(), -time.Second)) }, false, true, "actor: not delivered: no reply before the deadline"},
			{"Ask after the cancel", func() error {
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				return ask(ctx, cancel)
			}, false, false, "actor: not delivered: context canceled"},
			{"a wait given up", func() error {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, err := s.NewFuture(0).Wait(ctx)
				return err
			}, true, true, "actor: outcome unknown: the message may or may not have been executed: context deadline exceeded"},
		}
		for _, row := range rows {
			err := row.err()
			if got := errors.Is(err, actor.ErrUnknownOutcome); got != row.delivered {
				t.Errorf("%s: errors.Is(%v, ErrUnknownOutcome) = %v, want %v", row.name, err, got, row.delivered)
			}
			if got := errors.Is(err, actor.ErrNotDelivered); got == row.delivered {
				t.Errorf("%s: errors.Is(%v, ErrNotDelivered) = %v, want %v", row.name, err, got, !row.delivered)
			}
			if got := errors.Is(err, context.DeadlineExceeded); got != row.deadline {
				t.Errorf("%s: errors.Is(%v, DeadlineExceeded) = %v, want %v", row.name, err, got, row.deadline)
			}
			if got := errors.Is(err, context.Canceled); got == row.deadline {
				t.Errorf("%s: errors.Is(%v, Canceled) = %v, want %v", row.name, err, got, !row.deadline)
			}
			if err.Error() != row.text {
				t.Errorf("%s: error is %q, want %q", row.name, err, row.text)
			}
		}
	})
}

func result(f *actor.Future) error {
	_, err := f.Result()
	return err
}

// road explains itself.
type road struct{ err error }

func (r road) Explain() error { return r.err }

func TestFuture_ATimeOutSaysWhatKeptTheRequest(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		closed := errors.New("road closed")
		f := s.NewFuture(time.Second)
		f.SetRoute(road{closed})
		_, err := f.Result()
		if want := "actor: not delivered: no reply within 1s: road closed"; !errors.Is(err, closed) || err.Error() != want {
			t.Errorf("Result = %v, want %s", err, want)
		}
		sent := s.NewFuture(time.Second)
		sent.SetRoute(road{closed})
		sent.MarkSent()
		if err := result(sent); errors.Is(err, closed) {
			t.Errorf("Result = %v, want nothing of a road that was taken", err)
		}
	})
}

// Either the request may leave, or its asker may be told that it never will.
func TestFuture_MarkSentIsAtomicWithTheEnd(t *testing.T) {
	s := newSystem(t)
	for range 300 {
		f := s.NewFuture(time.Microsecond)
		var sent bool
		var wg sync.WaitGroup
		wg.Go(func() { sent = f.MarkSent() })
		err := result(f)
		wg.Wait()
		if got := errors.Is(err, actor.ErrNotDelivered); got == sent {
			t.Fatalf("MarkSent() = %v and the error is %v", sent, err)
		}
	}
}

func TestFuture_ALateReplyIsADeadLetter(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		j.deadLetters(s)
		pid := s.Spawn(actor.PropsFromFunc(echo))
		f := s.RequestFuture(pid, do(func(ctx actor.Context) {
			pass(time.Minute)
			ctx.Respond("at last")
		}), time.Second)
		if err := result(f); !errors.Is(err, actor.ErrUnknownOutcome) {
			t.Errorf("Result = %v, want %v", err, actor.ErrUnknownOutcome)
		}
		testkit.Advance(time.Hour)
		j.check(t, "dead at last: actor: not delivered: stopped")
	})
}

// A message whose asker has given up before it was queued is not handled.
func TestFuture_NobodyWaits_NothingIsSent(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		pid := s.Spawn(j.puppet("it"))
		f := s.NewFuture(time.Second)
		testkit.Advance(time.Second)
		err := s.SendEnvelope(pid, actor.Envelope{Message: "too late", Sender: f.PID()})
		if !errors.Is(err, actor.ErrNotDelivered) {
			t.Errorf("SendEnvelope = %v, want %v", err, actor.ErrNotDelivered)
		}
		j.check(t, "it: Started")
	})
}

func TestFuture_ErrorReplies(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		own := errors.New("sold out")
		nested := fmt.Errorf("asking the store: %w", actor.ErrMailboxFull)
		busy := &actor.RejectedError{Reason: actor.ErrMailboxFull, RetryAfter: time.Second}
		pid := s.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if err, ok := ctx.Message().(error); ok {
				ctx.Respond(err)
			}
		}))
		reply := func(err error) error { _, got := s.Ask(t.Context(), pid, err); return got }

		if err := reply(own); !errors.Is(err, own) || err.Error() != "sold out" {
			t.Errorf("own error: %v, want %v", err, own)
		}
		err := reply(nested)
		if errors.Is(err, actor.ErrNotDelivered) || !errors.Is(err, actor.ErrMailboxFull) || !errors.Is(err, nested) {
			t.Errorf("an executed request whose own request failed: %v is ErrNotDelivered, or not what it is", err)
		}
		if _, ok := errors.AsType[*actor.ReplyError](err); !ok {
			t.Errorf("%T is no *ReplyError", err)
		}
		if err := reply(busy); !errors.Is(err, actor.ErrNotDelivered) || err.Error() != "actor: not delivered: mailbox full; retry after 1s" {
			t.Errorf("a rejection: %v, want %v", err, busy)
		}
		if r, ok := errors.AsType[*actor.RejectedError](reply(fmt.Errorf("wrapped: %w", busy))); !ok || r != busy {
			t.Errorf("a wrapped rejection: got %v, want %v", r, busy)
		}
		if err := reply(fmt.Errorf("wrapped: %w", busy)); errors.Is(err, actor.ErrNotDelivered) {
			t.Errorf("a wrapped rejection: %v is ErrNotDelivered", err)
		}
	})
}

func TestAsk_NamesAReplyOfAnotherType(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		pid := spawn(t, s, nil, "it", actor.PropsFromFunc(echo))
		_, err := actor.Ask[string](t.Context(), s, pid, 7)
		if want := "actor: local/it replied to int with int, want string"; err == nil || err.Error() != want {
			t.Errorf("Ask = %v, want %s", err, want)
		}
	})
}

func TestAskUntil(t *testing.T) {
	rows := []struct {
		name       string
		ctx, until time.Duration // from now on; 0: never
		want       time.Duration
		class      error
	}{
		{"only the time", 0, time.Second, time.Second, actor.ErrUnknownOutcome},
		{"the time first", time.Minute, time.Second, time.Second, actor.ErrUnknownOutcome},
		{"both at once", time.Second, time.Second, time.Second, actor.ErrUnknownOutcome},
		{"ctx first", time.Second, time.Minute, time.Second, actor.ErrUnknownOutcome},
		{"only ctx", time.Second, 0, time.Second, actor.ErrUnknownOutcome},
		{"the time is over", time.Minute, -time.Second, 0, actor.ErrNotDelivered},
		{"ctx is over", -time.Second, time.Minute, 0, actor.ErrNotDelivered},
	}
	bubble(t, func(t *testing.T, s *actor.System) {
		pid := s.Spawn(actor.PropsFromFunc(echo))
		for _, row := range rows {
			ctx, until, began, got := t.Context(), time.Time{}, time.Now(), time.Duration(-1)
			if row.ctx != 0 {
				c, cancel := context.WithDeadline(ctx, began.Add(row.ctx))
				defer cancel()
				ctx = c
			}
			if row.until != 0 {
				until = began.Add(row.until)
			}
			_, err := s.AskUntil(ctx, until, pid, do(func(ctx actor.Context) {
				if deadline, ok := ctx.Deadline(); ok {
					got = deadline.Sub(began)
				}
			}))
			if !errors.Is(err, row.class) || !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != row.want {
				t.Errorf("%s: AskUntil = %v after %v, want %v after %v", row.name, err, time.Since(began), row.class, row.want)
			}
			synctest.Wait()
			if want := row.want; errors.Is(row.class, actor.ErrUnknownOutcome) && got != want || errors.Is(row.class, actor.ErrNotDelivered) && got >= 0 {
				t.Errorf("%s: the handler's deadline is %v after the request, want %v", row.name, got, want)
			}
			if reply, err := s.AskUntil(t.Context(), time.Now().Add(time.Second), pid, row.name); reply != row.name || err != nil {
				t.Errorf("%s: then AskUntil = %v, %v", row.name, reply, err)
			}
		}
	})
}

func TestFuture_PipeTo(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		note := actor.PropsFromFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case string:
				j.add("got %s", m)
			case error:
				j.add("got error %v", m)
			}
		})
		a, b := s.Spawn(note), s.Spawn(note)
		f, g := s.NewFuture(0), s.NewFuture(0)
		f.PipeTo(a, b)
		g.PipeTo(a)
		j.check(t, "")
		f.Complete("x")
		j.check(t, "got x, got x")
		f.PipeTo(b)
		g.Fail(errors.New("broken"))
		if got, want := sorted(j.take()), "got error broken, got x"; got != want {
			t.Errorf("journal = %s, want %s", got, want)
		}
	})
}

func TestFuture_IsKnownOutsideByAnIDWhileItWaits(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		f := s.NewFuture(time.Second)
		if f.PID().ID != "" {
			t.Errorf("ID of an unpublished future = %q, want none", f.PID().ID)
		}
		id := s.Publish(f.PID())
		if again := s.Publish(f.PID()); id == "" || id != again {
			t.Errorf("Publish = %q, then %q, want one id", id, again)
		}
		pid := actor.NewPID(s.Address(), id)
		if !pid.IsFuture() || !f.PID().IsFuture() || actor.FutureOf(pid) != nil || actor.FutureOf(f.PID()) != f || actor.FutureOf(nil) != nil {
			t.Error("IsFuture or FutureOf is wrong")
		}
		if err := s.Receive(id, actor.Envelope{Message: "reply"}); err != nil {
			t.Errorf("Receive = %v, want nil", err)
		}
		if v, err := f.Result(); v != "reply" || err != nil {
			t.Errorf("Result = %v, %v, want reply", v, err)
		}
		if err := s.Receive(id, actor.Envelope{Message: "again"}); !errors.Is(err, actor.ErrNoActor) {
			t.Errorf("Receive afterwards = %v, want %v", err, actor.ErrNoActor)
		}
		if id := s.Publish(completed(s).PID()); id != "" {
			t.Errorf("Publish of a complete future = %q, want none", id)
		}
	})
}

func TestReenterAfter_RunsAsAMessage(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		other := s.Spawn(actor.PropsFromFunc(echo))
		pid := s.Spawn(j.puppet("it"))
		j.take()
		v, err := within[string](t, s, pid, func(ctx actor.Context) any {
			f := s.NewFuture(0)
			ctx.ReenterAfter(f, func(v any, err error) { j.add("then %v, %v", v, err) })
			ctx.ReenterAfter(completed(s), func(v any, err error) { j.add("then %v, %v", v, err) })
			ctx.ReenterAfter(ctx.RequestFuture(other, "x", time.Second), func(v any, err error) {
				j.add("then %v, %v", v, err)
				f.Fail(errors.New("late"))
				ctx.Send(ctx.Self(), "last")
			})
			j.add("handler ends")
			return "replied"
		})
		if v != "replied" || err != nil {
			t.Errorf("Ask = %v, %v, want replied", v, err)
		}
		j.check(t, "handler ends, then done, <nil>, then x, <nil>, then <nil>, late, it: last")
	})
}

func TestReenterAfter_AnswersTheAsker(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		other := s.Spawn(actor.PropsFromFunc(echo))
		pid := s.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if m, ok := ctx.Message().(string); ok {
				ctx.ReenterAfter(ctx.RequestFuture(other, m, time.Second), func(v any, _ error) { ctx.Respond(v.(string) + "!") })
			}
		}, actor.WithMailboxLimit(1)))
		if v, err := s.Ask(t.Context(), pid, "hello"); v != "hello!" || err != nil {
			t.Errorf("Ask = %v, %v, want hello!", v, err)
		}
	})
}

func TestReenterAfter_OnlyInTheSameLife(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		for name, end := range map[string]func(pid *actor.PID){
			"stop":    func(pid *actor.PID) { s.Stop(pid) },
			"restart": func(pid *actor.PID) { s.Send(pid, fail("no")) },
		} {
			var j journal
			j.deadLetters(s)
			pid := s.Spawn(j.puppet("it"))
			early, late := s.NewFuture(0), s.NewFuture(0)
			gate := make(chan struct{})
			s.Send(pid, do(func(ctx actor.Context) {
				ctx.ReenterAfter(early, func(any, error) { j.add("early") })
				ctx.ReenterAfter(late, func(any, error) { j.add("late") })
				<-gate
			}))
			synctest.Wait()
			end(pid)
			early.Complete(nil) // queued behind the end
			close(gate)
			synctest.Wait()
			late.Complete(nil)
			if got := strings.Join(j.take(), ", "); strings.Contains(got, "early") || strings.Contains(got, "late") || strings.Contains(got, "dead") {
				t.Errorf("%s: journal = %s, want no continuation in it", name, got)
			}
		}
	})
}

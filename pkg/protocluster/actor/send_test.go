package actor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

func TestSend_WhatNobodyTakesIsADeadLetter(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		gone := s.Spawn(actor.PropsFromFunc(silent))
		if err := s.StopAndWait(t.Context(), gone); err != nil {
			t.Fatal(err)
		}
		full := s.Spawn(actor.PropsFromFunc(echo, actor.WithMailboxLimit(1)))
		gate := make(chan struct{})
		defer close(gate)
		s.Send(full, do(func(actor.Context) { <-gate }))
		synctest.Wait()
		s.Send(full, "fills it")
		other := newSystem(t)
		rows := []struct {
			name string
			to   *actor.PID
			want error
		}{
			{"nobody", nil, actor.ErrNoActor},
			{"no such actor", actor.NewPID("", "x"), actor.ErrNoActor},
			{"stopped", gone, actor.ErrNoActor},
			{"full", full, actor.ErrMailboxFull},
			{"another node", actor.NewPID("10.0.0.1:80", "x"), actor.ErrNotDelivered},
			{"a future that is complete", completed(s).PID(), actor.ErrStopped},
			{"a PID of another system", other.Spawn(actor.PropsFromFunc(echo)), actor.ErrNoActor},
		}
		for _, row := range rows {
			var letters []*actor.DeadLetter
			unsubscribe := s.Events().Subscribe(func(event any) { letters = append(letters, event.(*actor.DeadLetter)) })
			s.Send(row.to, "hello")
			if len(letters) != 1 || letters[0].To != row.to || letters[0].Message != "hello" || !errors.Is(letters[0].Reason, row.want) || !errors.Is(letters[0].Reason, actor.ErrNotDelivered) {
				t.Errorf("%s: dead letters = %v, want one for %v", row.name, letters, row.want)
			}
			if err := s.TrySend(row.to, "hello"); !errors.Is(err, row.want) {
				t.Errorf("%s: TrySend = %v, want %v", row.name, err, row.want)
			}
			if _, err := s.Ask(t.Context(), row.to, "hello"); !errors.Is(err, row.want) || !errors.Is(err, actor.ErrNotDelivered) {
				t.Errorf("%s: Ask = %v, want %v", row.name, err, row.want)
			}
			if len(letters) != 1 {
				t.Errorf("%s: %d dead letters, want none for TrySend and Ask", row.name, len(letters)-1)
			}
			unsubscribe()
		}
	})
}

func TestSend_QueuedBehindTheStop(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		j.deadLetters(s)
		pid := s.Spawn(actor.PropsFromFunc(echo))
		gate := make(chan struct{})
		s.Send(pid, do(func(ctx actor.Context) { ctx.Stop(ctx.Self()); <-gate }))
		s.Send(pid, "a letter")
		f := s.RequestFuture(pid, "a question", time.Minute)
		close(gate)
		j.check(t, "dead a letter: actor: not delivered: stopped")
		if err := result(f); !errors.Is(err, actor.ErrStopped) {
			t.Errorf("Result = %v, want %v", err, actor.ErrStopped)
		}
	})
}

func TestRespond_WithoutASender(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		j.deadLetters(s)
		s.Send(s.Spawn(actor.PropsFromFunc(echo)), "hello")
		j.check(t, "dead hello: actor: send string to nobody: actor: not delivered: no such actor")
	})
}

func TestRequest_ForwardAndRespond(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		server := s.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if m, ok := ctx.Message().(string); ok {
				ctx.Respond(m + " from " + ctx.Header("who"))
			}
		}))
		proxy := s.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(string); ok {
				ctx.Forward(server)
			}
		}))
		client := s.Spawn(j.puppet("client"))
		j.take()
		s.Send(client, do(func(ctx actor.Context) { ctx.Request(proxy, "hello") }))
		j.check(t, "client: hello from ")
		err := s.SendEnvelope(proxy, actor.Envelope{Message: "hello", Sender: client, Meta: &actor.Meta{Header: map[string]string{"who": "me"}}})
		if err != nil {
			t.Error(err)
		}
		j.check(t, "client: hello from me")
		if v, err := s.Ask(t.Context(), proxy, "hi"); v != "hi from " || err != nil {
			t.Errorf("Ask = %v, %v, want hi from", v, err)
		}
	})
}

func TestSend_ThePIDOfADeadActorFindsItsSuccessor(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		for _, opts := range [][]actor.PropsOption{nil, {actor.WithMailboxLimit(2)}} {
			pid := spawn(t, s, nil, "it", actor.PropsFromFunc(echo, opts...))
			gate := make(chan struct{})
			sends[any](s, pid, do(func(ctx actor.Context) { <-gate; ctx.Stop(ctx.Self()) }), "fill", "the", "mailbox")
			close(gate)
			synctest.Wait()
			if err := s.TrySend(pid, "hello"); !errors.Is(err, actor.ErrNoActor) {
				t.Errorf("TrySend = %v, want %v", err, actor.ErrNoActor)
			}
			next := spawn(t, s, nil, "it", actor.PropsFromFunc(echo, opts...))
			if v, err := s.Ask(t.Context(), pid, "hello"); v != "hello" || err != nil {
				t.Errorf("Ask = %v, %v, want hello", v, err)
			}
			if err := s.StopAndWait(t.Context(), next); err != nil {
				t.Error(err)
			}
		}
	})
}

// All that is sent while an actor ends and its successor is spawned is handled
// once, by the one or the other.
func TestHandleMissing_NothingIsLostOrDoubledInTheGap(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		const senders, each = 8, 400
		type item struct{ from, n int }
		var mu sync.Mutex
		var handled []item
		note := func(m any) {
			if it, ok := m.(item); ok {
				mu.Lock()
				defer mu.Unlock()
				handled = append(handled, it)
			}
		}
		var park []actor.Envelope // while no actor runs, or others are parked
		var parking bool
		s.HandleMissing("grain/", func(id string, e actor.Envelope) bool {
			mu.Lock()
			if parking {
				park = append(park, e)
				mu.Unlock()
				return true
			}
			mu.Unlock()
			return s.Receive(id, e) == nil // the successor has come meanwhile
		})
		var props *actor.Props
		lives := 0
		props = actor.PropsFromFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(*actor.Stopping); ok {
				mu.Lock()
				parking = true
				mu.Unlock()
			}
			note(ctx.Message())
		}, actor.WithAfterStop(func(self *actor.PID, _ error, _ bool, undelivered []actor.Envelope) {
			mu.Lock()
			defer mu.Unlock()
			lives++
			for _, e := range append(undelivered, park...) {
				if it, ok := e.Message.(item); ok {
					handled = append(handled, it)
				}
			}
			if _, err := s.SpawnNamed(props, self.ID); err != nil && !errors.Is(err, actor.ErrStopped) {
				t.Error(err)
			}
			park, parking = nil, false
		}))
		pid := spawn(t, s, nil, "grain/a", props)
		var wg sync.WaitGroup
		for from := range senders {
			to := actor.NewPID("", pid.ID)
			wg.Go(func() {
				for n := range each {
					if err := s.TrySend(to, item{from, n}); err != nil {
						t.Errorf("TrySend = %v", err)
					}
					if n%50 == 0 {
						s.Stop(to)
					}
				}
			})
		}
		wg.Wait()
		synctest.Wait()
		seen := map[item]int{}
		for _, it := range handled {
			seen[it]++
		}
		for from := range senders {
			for n := range each {
				if got := seen[item{from, n}]; got != 1 {
					t.Errorf("message %d of %d was handled %d times, want once", n, from, got)
				}
			}
		}
		t.Logf("%d lives", lives)
	}, actor.WithWorkers(4))
}

// wire is a Transport that notes what it gets.
type wire struct {
	journal
	refuse error
}

func (w *wire) Deliver(to *actor.PID, e actor.Envelope) error {
	if w.refuse == nil {
		w.add("%v to %v", e.Message, to)
	}
	return w.refuse
}

func (w *wire) DeliverSystem(to *actor.PID, m actor.SystemMessage) {
	w.add("%T to %v", m, to)
}

func TestTransport_GetsWhatIsForOtherNodes(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var w wire
		before := spawn(t, s, nil, "before", actor.PropsFromFunc(echo))
		s.Attach("here:1", &w)
		here := spawn(t, s, nil, "it", actor.PropsFromFunc(echo))
		there := actor.NewPID("there:1", "other")
		if here.Address != "here:1" || s.Address() != "here:1" {
			t.Errorf("address of a new PID = %q, want here:1", here.Address)
		}
		for _, pid := range []*actor.PID{before, here, actor.NewPID("", "it"), actor.NewPID("local", "it"), actor.NewPID("here:1", "it")} {
			if v, err := s.Ask(t.Context(), pid, "hello"); v != "hello" || err != nil {
				t.Errorf("Ask %v = %v, %v, want hello", pid, v, err)
			}
		}
		s.Send(there, "hello")
		s.Send(here, do(func(ctx actor.Context) { ctx.Watch(there); ctx.Unwatch(there) }))
		synctest.Wait()
		s.Stop(there)
		w.check(t, "hello to there:1/other, *actor.Watch to there:1/other, *actor.Unwatch to there:1/other, *actor.Stop to there:1/other")

		w.refuse = actor.ErrMailboxFull
		if _, err := s.Ask(t.Context(), there, "hello"); !errors.Is(err, actor.ErrMailboxFull) {
			t.Errorf("Ask = %v, want %v", err, actor.ErrMailboxFull)
		}
	})
}

func TestReceive_FromTheWire(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var w wire
		s.Attach("here:1", &w)
		asker := actor.NewPID("there:1", "$future-1")
		it := spawn(t, s, nil, "it", actor.PropsFromFunc(echo))
		if err := s.Receive("it", actor.Envelope{Message: "hello", Sender: asker}); err != nil {
			t.Errorf("Receive = %v, want nil", err)
		}
		if err := s.Receive("nobody", actor.Envelope{Message: "hello", Sender: asker}); !errors.Is(err, actor.ErrNoActor) {
			t.Errorf("Receive = %v, want %v", err, actor.ErrNoActor)
		}
		w.check(t, "hello to there:1/$future-1")

		s.ReceiveSystem("nobody", &actor.Watch{Watcher: actor.NewPID("there:1", "watcher")})
		s.ReceiveSystem("it", &actor.Watch{Watcher: actor.NewPID("there:1", "watcher")})
		w.check(t, "*actor.Terminated to there:1/watcher")
		// An asker on another node learns that its message was taken in vain.
		gate := make(chan struct{})
		s.Send(it, do(func(actor.Context) { <-gate }))
		if err := s.Receive("it", actor.Envelope{Message: "hello", Sender: asker}); err != nil {
			t.Errorf("Receive = %v, want nil", err)
		}
		synctest.Wait()
		s.ReceiveSystem("it", &actor.Stop{})
		close(gate)
		w.check(t, "actor: not delivered: stopped to there:1/$future-1, *actor.Terminated to there:1/watcher")
	})
}

func TestReceiveRun_AllOrNothing(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var got []any
		note := actor.PropsFromFunc(func(ctx actor.Context) { got = append(got, ctx.Message()) })
		it := spawn(t, s, nil, "it", note)
		spawn(t, s, nil, "bounded", actor.PropsFromFunc(echo, actor.WithMailboxLimit(9)))
		run := []actor.Envelope{{Message: 1}, {Message: 2}, {Message: 3}}
		for _, row := range []struct {
			id   string
			want bool
		}{{"it", true}, {"nobody", false}, {"bounded", false}} {
			if taken := s.ReceiveRun(row.id, run); taken != row.want {
				t.Errorf("ReceiveRun(%q) = %v, want %v", row.id, taken, row.want)
			}
		}
		synctest.Wait()
		if n := len(got); n != 4 || got[1] != 1 || got[2] != 2 || got[3] != 3 {
			t.Errorf("the actor got %v, want what starts it, then 1, 2 and 3", got)
		}
		s.Stop(it)
		synctest.Wait()
		if s.ReceiveRun("it", run) {
			t.Error("an actor that has ended took a run")
		}
	})
}

func TestWatch_Local(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		other := spawn(t, s, nil, "other", actor.PropsFromFunc(echo))
		pid := s.Spawn(j.puppet("it"))
		watch := func(pid *actor.PID) do { return func(ctx actor.Context) { ctx.Watch(pid) } }
		unwatch := func(pid *actor.PID) do { return func(ctx actor.Context) { ctx.Unwatch(pid) } }
		stop := do(func(ctx actor.Context) { ctx.Stop(other) })
		j.take()

		sends(s, pid, watch(other), watch(actor.NewPID("local", "other")), stop)
		j.check(t, "it: Terminated other")
		s.Send(pid, watch(other)) // it is dead
		j.check(t, "it: Terminated other")
		s.Send(pid, watch(actor.NewPID("10.0.0.1:80", "far"))) // without a remote
		j.check(t, "it: Terminated far")
		s.Send(pid, watch(nil))
		s.Send(pid, unwatch(nil))
		j.check(t, "it: Terminated nobody")

		other = spawn(t, s, nil, "other", actor.PropsFromFunc(echo))
		sends(s, pid, watch(other), unwatch(other), stop)
		j.check(t, "")
		other = spawn(t, s, nil, "other", actor.PropsFromFunc(echo))
		gate := make(chan struct{}) // Unwatch when Terminated is on its way
		s.Send(pid, do(func(ctx actor.Context) { ctx.Watch(other); ctx.Stop(other); <-gate; ctx.Unwatch(other) }))
		synctest.Wait()
		close(gate)
		j.check(t, "")
	})
}

func TestWatch_SaysWhy(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		reasons := make(chan error, 1)
		watcher := s.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case do:
				m(ctx)
			case *actor.Terminated:
				reasons <- m.Reason
			}
		}))
		watched := func(end any) error {
			pid := s.Spawn(actor.PropsFromFunc(echo))
			s.Send(watcher, do(func(ctx actor.Context) { ctx.Watch(pid) }))
			synctest.Wait()
			s.Send(pid, end)
			return <-reasons
		}
		if err := watched(&actor.PoisonPill{}); err != nil {
			t.Errorf("Reason of a stop = %v, want nil", err)
		}
		if err := watched(fail("no")); err == nil || err.Error() != "actor: handler panicked: no" {
			t.Errorf("Reason of a failure = %v, want the panic", err)
		}
		s.Send(watcher, do(func(ctx actor.Context) { ctx.Watch(actor.NewPID("", "x")) }))
		if err := <-reasons; !errors.Is(err, actor.ErrNoActor) {
			t.Errorf("Reason for nobody = %v, want %v", err, actor.ErrNoActor)
		}
	}, actor.WithGuardian(actor.Strategy{Decide: always(actor.DirectiveStop)}))
}

// However watches and ends interleave, each watcher hears of each end once.
func TestWatch_Races(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		const watchers, watched = 8, 50
		var pids []*actor.PID
		for i := range watched {
			pids = append(pids, spawn(t, s, nil, fmt.Sprint(i), actor.PropsFromFunc(silent)))
		}
		told := make([][]string, watchers)
		var wg sync.WaitGroup
		for w := range watchers {
			pid := s.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
				switch m := ctx.Message().(type) {
				case *actor.PID:
					ctx.Watch(m)
				case *actor.Terminated:
					told[w] = append(told[w], m.Who.ID)
				}
			}))
			wg.Go(func() {
				for i := range watched {
					s.Send(pid, pids[(i+w*7)%watched])
					if w%2 == 0 {
						s.Stop(pids[(i*3+w)%watched])
					}
				}
			})
		}
		wg.Wait()
		synctest.Wait()
		for w, ids := range told {
			slices.Sort(ids)
			if n := len(slices.Compact(slices.Clone(ids))); n != watched || n != len(ids) {
				t.Errorf("watcher %d was told of %d ends of %d actors, want %d of each", w, len(ids), n, watched)
			}
		}
	}, actor.WithWorkers(4))
}

func TestStopAndWait(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		j.deadLetters(s)
		pid := spawn(t, s, nil, "it", j.puppet("it", actor.WithMailboxLimit(2)))
		gate := make(chan struct{})
		s.Send(pid, do(func(actor.Context) { <-gate }))
		synctest.Wait()
		sends(s, pid, "a", "b")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := s.PoisonAndWait(ctx, pid) // the pill finds room
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("PoisonAndWait = %v, want %v", err, context.DeadlineExceeded)
		}
		close(gate)
		if err := s.PoisonAndWait(t.Context(), pid); err != nil {
			t.Errorf("PoisonAndWait = %v, want nil", err)
		}
		j.check(t, "it: Started, it: a, it: b, it: Stopping, it: Stopped")
		for _, pid := range []*actor.PID{pid, nil, actor.NewPID("10.0.0.1:80", "x")} {
			if err := errors.Join(s.StopAndWait(t.Context(), pid), s.PoisonAndWait(t.Context(), pid)); err != nil {
				t.Errorf("stop %v = %v, want nil", pid, err)
			}
		}
		j.check(t, "")
	})
}

func TestReceiveSystem_StopsAnActor(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		var j journal
		spawn(t, s, nil, "it", j.puppet("it"))
		s.ReceiveSystem("it", &actor.Stop{})
		s.ReceiveSystem("nobody", &actor.Stop{})
		s.ReceiveSystem("nobody", &actor.Unwatch{Watcher: actor.NewPID("", "it")})
		s.ReceiveSystem("nobody", &actor.Terminated{Who: actor.NewPID("", "it")})
		testkit.Advance(time.Second)
		j.check(t, "it: Started, it: Stopping, it: Stopped")
	})
}

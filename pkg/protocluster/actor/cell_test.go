package actor_test

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// Per sender in order, one at a time, none lost and none twice, while stops and
// watches of others go on.
func TestMailbox_KeepsTheOrderOfEachSender(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		const senders, receivers, each = 6, 4, 1000
		type item struct{ from, n int }
		pids := make([]*actor.PID, receivers)
		var handled atomic.Int32
		for i := range pids {
			var inside atomic.Int32
			next := make([]int, senders+receivers)
			pids[i] = s.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
				if inside.Add(1) != 1 {
					t.Error("two messages are handled at once")
				}
				defer inside.Add(-1)
				it, ok := ctx.Message().(item)
				if !ok {
					return
				}
				if it.n != next[it.from] {
					t.Errorf("message %d of sender %d came, want %d", it.n, it.from, next[it.from])
				}
				next[it.from]++
				handled.Add(1)
				if it.from == 0 { // actors send as well
					ctx.Send(pids[(i+1)%receivers], item{senders + i, it.n})
				}
				if it.n%100 == 0 { // and give their places away
					_, _ = ctx.RequestFuture(ctx.Self(), "no reply", time.Millisecond).Wait(ctx)
				}
			}))
		}
		var wg sync.WaitGroup
		for from := range senders {
			wg.Go(func() {
				for n := range each {
					for _, pid := range pids {
						s.Send(pid, item{from, n})
					}
				}
			})
		}
		wg.Wait()
		testkit.Advance(time.Minute)
		if got, want := handled.Load(), int32((senders+1)*receivers*each); got != want {
			t.Errorf("%d messages were handled, want %d", got, want)
		}
	}, actor.WithWorkers(8))
}

func TestMailbox_LimitIsExact(t *testing.T) {
	const limit = 10
	bubble(t, func(t *testing.T, s *actor.System) {
		gate := make(chan struct{})
		handled, stash := 0, true
		pid := s.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case do:
				m(ctx)
			case int:
				handled++
				if stash {
					ctx.Stash()
				}
			}
		}, actor.WithMailboxLimit(limit)))
		fill := func(round string) {
			t.Helper()
			handled = 0
			s.Send(pid, do(func(actor.Context) { <-gate }))
			synctest.Wait()
			for n := range limit {
				if err := s.TrySend(pid, n); err != nil {
					t.Errorf("%s: message %d: %v, want nil", round, n, err)
				}
			}
			err := s.TrySend(pid, limit)
			if r, ok := errors.AsType[*actor.RejectedError](err); !ok || !errors.Is(err, actor.ErrMailboxFull) || r.RetryAfter != 0 {
				t.Errorf("%s: TrySend beyond the limit = %v, want %v", round, err, actor.ErrMailboxFull)
			}
			if _, err := s.Ask(t.Context(), pid, limit); !errors.Is(err, actor.ErrMailboxFull) || !errors.Is(err, actor.ErrNotDelivered) {
				t.Errorf("%s: Ask beyond the limit = %v, want %v", round, err, actor.ErrMailboxFull)
			}
			gate <- struct{}{}
			synctest.Wait()
		}
		fill("empty")
		stash = false
		s.Send(pid, do(func(ctx actor.Context) { ctx.UnstashAll() }))
		synctest.Wait()
		if handled != 2*limit {
			t.Errorf("%d messages were handled, want each twice", handled)
		}
		fill("after a stash")
		child := spawn(t, s, pid, "child", actor.PropsFromFunc(silent))
		s.Send(pid, do(func(ctx actor.Context) { ctx.Stop(child); panic("so that Terminated waits") }))
		testkit.Advance(time.Minute)
		fill("after a restart")
	}, actor.WithGuardian(actor.Strategy{Backoff: time.Second}))
}

// A mailbox that nobody limits has an end as well, and room for what the actor
// needs beyond it.
func TestMailbox_DefaultLimit(t *testing.T) {
	const limit = 1 << 20
	bubble(t, func(t *testing.T, s *actor.System) {
		gate := make(chan struct{})
		handled := 0
		pid := s.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			switch m := ctx.Message().(type) {
			case do:
				m(ctx)
			case *counter:
				handled++
			}
		}))
		s.Send(pid, do(func(actor.Context) { <-gate }))
		synctest.Wait()
		m := new(counter)
		for range limit {
			s.Send(pid, m)
		}
		if err := s.TrySend(pid, m); !errors.Is(err, actor.ErrMailboxFull) {
			t.Errorf("TrySend beyond the limit = %v, want %v", err, actor.ErrMailboxFull)
		}
		if _, err := s.Ask(t.Context(), pid, m); !errors.Is(err, actor.ErrMailboxFull) {
			t.Errorf("Ask beyond the limit = %v, want %v", err, actor.ErrMailboxFull)
		}
		s.Poison(pid)
		close(gate)
		synctest.Wait()
		if handled != limit {
			t.Errorf("%d messages were handled, want %d", handled, limit)
		}
		if err := s.TrySend(pid, m); !errors.Is(err, actor.ErrNoActor) {
			t.Errorf("TrySend after the PoisonPill = %v, want %v", err, actor.ErrNoActor)
		}
	})
}

// On a single processor it is the sender that lets its receiver have a turn.
func TestMailbox_ASenderDoesNotRunFarAhead(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const messages, most = 200_000, 10_000
	bubble(t, func(t *testing.T, s *actor.System) {
		var handled atomic.Int32
		pid := s.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(*counter); ok {
				handled.Add(1)
			}
		}))
		m, ahead := new(counter), 0
		for n := range messages {
			s.Send(pid, m)
			ahead = max(ahead, n-int(handled.Load()))
		}
		synctest.Wait()
		if ahead > most || handled.Load() != messages {
			t.Errorf("the sender was %d messages ahead and %d were handled, want at most %d, and %d", ahead, handled.Load(), most, messages)
		}
	})
}

func TestMailbox_LimitHoldsUnderLoad(t *testing.T) {
	const limit = 50
	bubble(t, func(t *testing.T, s *actor.System) {
		var waiting, most, handled, accepted atomic.Int32
		pid := s.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(int); ok {
				waiting.Add(-1)
				handled.Add(1)
			}
		}, actor.WithMailboxLimit(limit)))
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for n := range 3000 {
					if s.TrySend(pid, n) != nil {
						runtime.Gosched()
						continue
					}
					accepted.Add(1)
					if w := waiting.Add(1); w > most.Load() {
						most.Store(w)
					}
				}
			})
		}
		wg.Wait()
		synctest.Wait()
		if handled.Load() != accepted.Load() {
			t.Errorf("%d messages were handled of %d accepted", handled.Load(), accepted.Load())
		}
		if most.Load() > limit+1 { // one may be in the handler
			t.Errorf("%d messages waited, want at most %d", most.Load(), limit+1)
		}
	}, actor.WithWorkers(2))
}

// heap is the memory in use, after a collection.
func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

func TestActor_IdleCostsLittleAndNoGoroutine(t *testing.T) {
	const actors = 20_000
	bubble(t, func(t *testing.T, s *actor.System) {
		props := actor.PropsFromProducer(func() actor.Actor { return actor.ReceiveFunc(silent) })
		before := heap()
		pids := make([]*actor.PID, actors)
		for i := range pids {
			pids[i] = s.Spawn(props)
		}
		synctest.Wait()
		if each := (heap() - before) / actors; each > 500 {
			t.Errorf("an actor that got no message takes %d bytes, want at most 500", each)
		} else {
			t.Logf("an actor that got no message takes %d bytes", each)
		}
		for range 3 {
			for _, pid := range pids {
				s.Send(pid, 1)
			}
		}
		synctest.Wait()
		if each := (heap() - before) / actors; each > 1024 {
			t.Errorf("an idle actor takes %d bytes, want at most 1024", each)
		} else {
			t.Logf("an idle actor takes %d bytes", each)
		}
		if n := workers(); n > 2*runtime.GOMAXPROCS(0) {
			t.Errorf("%d workers, want at most %d", n, 2*runtime.GOMAXPROCS(0))
		}
	})
}

// What a burst made a mailbox grow to is given back, however large.
func TestActor_GivesTheMemoryOfABurstBack(t *testing.T) {
	for _, burst := range []int{1_000, 100_000} {
		t.Run(fmt.Sprint(burst), func(t *testing.T) {
			actors := 100_000 / burst
			bubble(t, func(t *testing.T, s *actor.System) {
				var j journal
				pids := make([]*actor.PID, actors)
				for i := range pids {
					pids[i] = s.Spawn(j.puppet("it"))
				}
				j.take()
				before := heap()
				gate := make(chan struct{})
				for _, pid := range pids {
					s.Send(pid, do(func(actor.Context) { <-gate }))
				}
				nothing := do(func(actor.Context) {})
				for _, pid := range pids {
					for range burst {
						s.Send(pid, nothing)
					}
				}
				close(gate)
				testkit.Advance(time.Minute)
				if kept := heap() - before; kept > 300_000 {
					t.Errorf("%d bytes are kept after the burst, want next to none", kept)
				}
			})
		})
	}
}

func TestSend_AllocatesNothing(t *testing.T) {
	s := newSystem(t)
	var handled sync.WaitGroup
	pid := s.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*tick); ok {
			handled.Done()
		}
	}))
	byName := actor.NewPID("", pid.ID)
	m := &tick{}
	allocs := testing.AllocsPerRun(1000, func() {
		handled.Add(2)
		s.Send(pid, m)
		s.Send(byName, m)
		handled.Wait()
	})
	if allocs >= 1 {
		t.Errorf("two messages allocate %v times, want 0", allocs)
	}
}

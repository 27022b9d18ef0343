package actor_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// mob is a set of actors that do anything to one another.
type mob struct {
	strategies []actor.Strategy
	lease      lease // of every other

	mu   sync.Mutex
	pids []*actor.PID
}

func (m *mob) any() *actor.PID {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.pids[rand.IntN(len(m.pids))]
}

// join adds who spawn starts.
func (m *mob) join(spawn func(*actor.Props) *actor.PID) {
	strategy := m.strategies[rand.IntN(len(m.strategies))]
	props := actor.PropsFromFunc(m.receive, actor.WithMailboxLimit(50), actor.WithSupervisor(strategy))
	if rand.IntN(2) == 0 {
		props = props.With(actor.WithGuard(&m.lease))
	}
	pid := spawn(props)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pids = append(m.pids, pid)
}

func (m *mob) receive(ctx actor.Context) {
	switch n := ctx.Message().(type) {
	case *actor.Stopping, *actor.Restarting:
		if rand.IntN(5) == 0 {
			m.join(ctx.Spawn)
		}
		m.stumble(ctx, 10)
	case *actor.Stopped:
		m.stumble(ctx, 10)
	case *actor.Started:
		m.stumble(ctx, 40)
	case int:
		m.act(ctx, n)
		m.stumble(ctx, 40)
	}
}

func (m *mob) act(ctx actor.Context, what int) {
	switch what {
	case 0, 1, 2:
		m.join(ctx.Spawn)
	case 3:
		ctx.Stop(m.any())
	case 4:
		ctx.Poison(m.any())
	case 5, 6:
		ctx.Watch(m.any())
	case 7:
		ctx.Unwatch(m.any())
	case 8:
		ctx.Stash()
	case 9:
		ctx.UnstashAll()
	case 10:
		f := ctx.RequestFuture(m.any(), rand.IntN(25), 3*time.Millisecond)
		ctx.ReenterAfter(f, func(any, error) { m.stumble(ctx, 10) })
	case 11:
		ctx.SetReceiveTimeout(time.Millisecond)
	case 12:
		ctx.BecomeStacked(func(ctx actor.Context) { ctx.Unbecome() })
	case 13:
		go func() { <-ctx.Done(); ctx.Respond(what) }()
	case 14:
		go func() { ctx.Respond(what); ctx.Respond(what) }()
	case 15:
		ctx.System().Kill(m.any())
	default:
		ctx.Respond(what)
	}
}

// stumble mostly does nothing.
func (m *mob) stumble(ctx actor.Context, odds int) {
	switch rand.IntN(odds) {
	case 0:
		panic("stumbled")
	case 1:
		runtime.Goexit()
	case 2:
		pass(time.Duration(rand.IntN(3)) * time.Millisecond)
	case 3:
		short, cancel := context.WithTimeout(ctx, 5*time.Millisecond)
		defer cancel()
		_, _ = ctx.System().Ask(short, m.any(), rand.IntN(25))
	case 4:
		if _, ok := ctx.Message().(int); ok {
			<-ctx.Done()
		}
	}
}

// flap loses the lease for a while.
func (m *mob) flap(s *actor.System) {
	each := func(what func(*actor.PID)) {
		m.mu.Lock()
		pids := slices.Clone(m.pids)
		m.mu.Unlock()
		for _, pid := range pids {
			what(pid)
		}
	}
	m.lease.lapsed.Store(true)
	each(s.Suspend)
	pass(time.Millisecond)
	m.lease.lapsed.Store(false)
	each(s.Resume)
}

// Whatever actors do, they end when the system does, and nothing is left.
func TestSystem_EndsWhateverItsActorsDo(t *testing.T) {
	for round := range 10 {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			random := func(error) actor.Directive { return actor.Directive(rand.IntN(4)) }
			bubble(t, func(t *testing.T, s *actor.System) {
				m := &mob{strategies: []actor.Strategy{
					{}, {AllForOne: true}, {Backoff: time.Millisecond},
					{Decide: random}, {AllForOne: true, Backoff: time.Millisecond, Decide: random},
				}}
				for range 5 {
					m.join(s.Spawn)
				}
				var wg sync.WaitGroup
				for range 4 {
					wg.Go(func() {
						for n := range 400 {
							s.Send(m.any(), rand.IntN(25))
							if n%50 == 0 {
								pass(time.Millisecond)
							}
						}
					})
				}
				wg.Go(func() {
					for range 30 {
						m.flap(s)
					}
				})
				wg.Wait()
				testkit.Advance(time.Second)
				m.flap(s)
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				if err := s.Shutdown(ctx); err != nil {
					t.Fatal(err)
				}
			}, actor.WithWorkers(1+rand.IntN(6)), actor.WithGuardian(actor.Strategy{Decide: random}))
		})
	}
}

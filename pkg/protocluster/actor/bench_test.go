package actor_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
)

// tick is a message that costs nothing to make.
type tick struct{}

// counter calls done after its n-th tick, and answers each tick that asks.
type counter struct {
	left int
	done func()
}

func (c *counter) Receive(ctx actor.Context) {
	if _, ok := ctx.Message().(*tick); !ok {
		return
	}
	if ctx.Sender() != nil {
		ctx.Respond(ctx.Message())
	}
	if c.left--; c.left == 0 {
		c.done()
	}
}

// benchSystem is a system that ends with the benchmark.
func benchSystem(b *testing.B) *actor.System {
	b.Helper()
	s := actor.NewSystem()
	b.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			b.Error(err)
		}
	})
	b.ReportAllocs()
	return s
}

// BenchmarkTell sends from a number of goroutines to a number of actors and
// waits until all is handled. As many of each are pairs; else each sender sends
// to all actors in turn.
func BenchmarkTell(b *testing.B) {
	for _, row := range []struct{ senders, actors int }{{1, 1}, {8, 8}, {8, 1}, {1, 1000}} {
		b.Run(fmt.Sprintf("%dto%d", row.senders, row.actors), func(b *testing.B) {
			s := benchSystem(b)
			each := b.N/(row.senders*row.actors) + 1 // from each sender to each actor
			var handled, sent sync.WaitGroup
			pids := make([]*actor.PID, row.actors)
			handled.Add(row.actors)
			for i := range pids {
				pids[i] = s.Spawn(actor.PropsFromProducer(func() actor.Actor {
					return &counter{left: each * row.senders, done: handled.Done}
				}))
			}
			m := &tick{}
			b.ResetTimer()
			for from := range row.senders {
				to := pids
				if row.senders == row.actors {
					to = pids[from : from+1]
				}
				sent.Go(func() {
					for n := range each * row.actors {
						s.Send(to[n%len(to)], m)
					}
				})
			}
			sent.Wait()
			handled.Wait()
		})
	}
}

// BenchmarkAsk asks from a number of goroutines, each waiting for its reply
// before it asks again.
func BenchmarkAsk(b *testing.B) { benchmarkAsk(b) }

// BenchmarkAskGuarded is BenchmarkAsk of actors with a guard: the difference is
// the guard's price.
func BenchmarkAskGuarded(b *testing.B) { benchmarkAsk(b, actor.WithGuard(new(validity))) }

// validity is what a lease costs at least.
type validity struct{ lapsed atomic.Bool }

func (v *validity) Admit(*actor.PID) bool { return !v.lapsed.Load() }

func benchmarkAsk(b *testing.B, opts ...actor.PropsOption) {
	b.Helper()
	for _, row := range []struct{ askers, actors int }{{1, 1}, {64, 1}, {64, 64}} {
		b.Run(fmt.Sprintf("%dto%d", row.askers, row.actors), func(b *testing.B) {
			s := benchSystem(b)
			pids := make([]*actor.PID, row.actors)
			for i := range pids {
				pids[i] = s.Spawn(actor.PropsFromProducer(func() actor.Actor { return &counter{} }, opts...))
			}
			m := &tick{}
			each := b.N/row.askers + 1
			var asked sync.WaitGroup
			b.ResetTimer()
			for from := range row.askers {
				asked.Go(func() {
					for range each {
						if _, err := s.Ask(context.Background(), pids[from%row.actors], m); err != nil {
							b.Error(err)
						}
					}
				})
			}
			asked.Wait()
		})
	}
}

// BenchmarkPingPong has two actors send one message to and fro.
func BenchmarkPingPong(b *testing.B) {
	s := benchSystem(b)
	done := make(chan struct{})
	left := b.N
	player := actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*tick); !ok {
			return
		}
		if left--; left == 0 {
			close(done)
			return
		}
		ctx.Request(ctx.Sender(), ctx.Message())
	})
	ping, pong := s.Spawn(player), s.Spawn(player)
	b.ResetTimer()
	if err := s.SendEnvelope(ping, actor.Envelope{Message: &tick{}, Sender: pong}); err != nil {
		b.Fatal(err)
	}
	<-done
}

func BenchmarkSpawn(b *testing.B) {
	s := benchSystem(b)
	props := actor.PropsFromProducer(func() actor.Actor { return &counter{} })
	b.ResetTimer()
	for range b.N {
		s.Spawn(props)
	}
}

// BenchmarkSpawnGuarded spawns as package cluster does: each has Props with a
// token of its own.
func BenchmarkSpawnGuarded(b *testing.B) {
	s := benchSystem(b)
	props := actor.PropsFromProducer(func() actor.Actor { return &counter{} }, actor.WithGuard(new(validity)))
	b.ResetTimer()
	for n := range b.N {
		s.Spawn(props.With(actor.WithFence(actor.Token{Epoch: 1, Counter: uint64(n)})))
	}
}

// BenchmarkSuspend suspends and resumes an actor that nobody has asked for a
// context.
func BenchmarkSuspend(b *testing.B) {
	s := benchSystem(b)
	pid := s.Spawn(actor.PropsFromProducer(func() actor.Actor { return &counter{} }, actor.WithGuard(new(validity))))
	b.ResetTimer()
	for range b.N {
		s.Suspend(pid)
		s.Resume(pid)
	}
}

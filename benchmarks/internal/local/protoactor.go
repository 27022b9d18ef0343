package local

import (
	"context"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/protocluster/workshop/benchmarks/internal/peers"
	"github.com/protocluster/workshop/benchmarks/internal/tally"
)

// protoActor is an actor system of protoactor-go.
type protoActor struct {
	system *actor.ActorSystem
	pids   []*actor.PID
}

func newProtoActor() *protoActor { return &protoActor{system: peers.NewProtoActor()} }

func (p *protoActor) count(counters []*tally.Counter, done func()) {
	for _, c := range counters {
		p.spawn(func(ctx actor.Context) {
			if m, ok := ctx.Message().(*tally.Tick); ok && c.Take(m) {
				done()
			}
		})
	}
}

func (p *protoActor) send(first, last int, ticks []tally.Tick) {
	inTurn(p.pids[first:last], ticks, func(to *actor.PID, m *tally.Tick) { p.system.Root.Send(to, m) })
}

func (p *protoActor) echo(n int) {
	for range n {
		p.spawn(func(ctx actor.Context) {
			if m, ok := ctx.Message().(*tally.Tick); ok {
				ctx.Respond(m)
			}
		})
	}
}

// ask has a time-out because without one the future has no end.
func (p *protoActor) ask(_ context.Context, _, to int, m *tally.Tick) (any, error) {
	return p.system.Root.RequestFuture(p.pids[to], m, 10*time.Second).Result()
}

func (p *protoActor) idle(n int, started func()) {
	props := actor.PropsFromProducer(func() actor.Actor { return &protoSleeper{started} })
	for range n {
		p.pids = append(p.pids, p.system.Root.Spawn(props))
	}
}

func (p *protoActor) spawn(receive func(actor.Context)) {
	p.pids = append(p.pids, p.system.Root.Spawn(actor.PropsFromFunc(receive)))
}

// close stops the actors, because the system's Shutdown does not.
func (p *protoActor) close(ctx context.Context) error {
	for i, pid := range p.pids {
		if ctx.Err() != nil {
			return fmt.Errorf("local: %d of %d actors were stopped: %w", i, len(p.pids), context.Cause(ctx))
		}
		p.system.Root.Stop(pid)
	}
	p.system.Shutdown()
	return nil
}

// protoSleeper is an actor that has nothing to do.
type protoSleeper struct{ started func() }

func (s *protoSleeper) Receive(ctx actor.Context) {
	if _, ok := ctx.Message().(*actor.Started); ok {
		s.started()
	}
}

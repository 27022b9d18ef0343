package local

import (
	"context"
	"log/slog"

	"github.com/protocluster/workshop/benchmarks/internal/tally"
	"github.com/protocluster/workshop/pkg/protocluster/actor"
)

// protocluster is an actor.System.
type protocluster struct {
	system *actor.System
	pids   []*actor.PID
}

func newProtocluster() *protocluster {
	return &protocluster{system: actor.NewSystem(actor.WithLogger(slog.New(slog.DiscardHandler)))}
}

func (p *protocluster) count(counters []*tally.Counter, done func()) {
	for _, c := range counters {
		p.spawn(func(ctx actor.Context) {
			if m, ok := ctx.Message().(*tally.Tick); ok && c.Take(m) {
				done()
			}
		})
	}
}

func (p *protocluster) send(first, last int, ticks []tally.Tick) {
	inTurn(p.pids[first:last], ticks, func(to *actor.PID, m *tally.Tick) { p.system.Send(to, m) })
}

func (p *protocluster) echo(n int) {
	for range n {
		p.spawn(func(ctx actor.Context) {
			if m, ok := ctx.Message().(*tally.Tick); ok {
				ctx.Respond(m)
			}
		})
	}
}

func (p *protocluster) ask(ctx context.Context, _, to int, m *tally.Tick) (any, error) {
	return p.system.Ask(ctx, p.pids[to], m)
}

func (p *protocluster) idle(n int, started func()) {
	props := actor.PropsFromProducer(func() actor.Actor { return &sleeper{started} })
	for range n {
		p.system.Spawn(props)
	}
}

func (p *protocluster) spawn(receive func(actor.Context)) {
	p.pids = append(p.pids, p.system.Spawn(actor.PropsFromFunc(receive)))
}

func (p *protocluster) close(ctx context.Context) error { return p.system.Shutdown(ctx) }

// sleeper is an actor that has nothing to do.
type sleeper struct{ started func() }

func (s *sleeper) Receive(ctx actor.Context) {
	if _, ok := ctx.Message().(*actor.Started); ok {
		s.started()
	}
}

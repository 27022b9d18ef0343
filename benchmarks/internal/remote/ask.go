package remote

import (
	"context"
	"fmt"

	"github.com/protocluster/workshop/benchmarks/internal/bench"
	"github.com/protocluster/workshop/benchmarks/internal/gen/benchpb"
)

// ask is a workload: callers ask, each waiting for the reply before it asks
// again.
type ask struct {
	callers int
	asks    int // in all, about
}

// asker is a peer that can ask.
type asker interface {
	peer
	// ask returns the reply, which is to be m again; caller counts from 0.
	ask(ctx context.Context, caller int, m *benchpb.Item) (*benchpb.Item, error)
}

func askers(a ask) []bench.Contender {
	contenders := []bench.Contender{
		contender(bench.Protocluster, func(ctx context.Context, at string) (asker, error) {
			return connectProtocluster(ctx, at, echoes)
		}, a.run),
		contender(bench.ProtoActor, func(ctx context.Context, at string) (asker, error) { return connectProtoActor(ctx, at) }, a.run),
		contender(grpcStream, func(ctx context.Context, address string) (asker, error) {
			return connectStream(ctx, address, a.callers)
		}, a.run),
		contender(grpcUnary, func(_ context.Context, at string) (asker, error) { return connectUnary(at) }, a.run),
	}
	socket := func(ctx context.Context, at string) (asker, error) { return connectTCP(ctx, at, a.callers) }
	if a.callers == 1 {
		socket = func(ctx context.Context, at string) (asker, error) { return connectPingPong(ctx, at) }
	}
	return append(contenders, contender(tcp, socket, a.run))
}

// run yields the median latency of one caller, or of more their rate and the
// latency that 99 % keep within.
func (a ask) run(ctx context.Context, p asker) (bench.Sample, error) {
	payload := Payload()
	times, err := bench.Callers(ctx, a.callers, a.asks/a.callers, func(ctx context.Context, caller, i int) error {
		m := Question(caller, i, payload)
		reply, err := p.ask(ctx, caller, m)
		if err != nil {
			return err
		}
		return Answers(reply, m)
	})
	switch {
	case err != nil:
		return nil, err
	case a.callers == 1:
		return bench.Sample{times.Within(50)}, nil
	}
	return bench.Sample{times.Rate(), times.Within(99)}, nil
}

// Payload is that of the small message.
func Payload() []byte { return make([]byte, payloadOf(smallest)) }

// Question is the message that caller asks when it has asked i before.
func Question(caller, i int, payload []byte) *benchpb.Item {
	return &benchpb.Item{From: uint32(caller), Number: uint32(i), Payload: payload}
}

// Answers is nil if the reply is what was asked.
func Answers(reply, asked *benchpb.Item) error {
	if reply.GetFrom() == asked.From && reply.GetNumber() == asked.Number && len(reply.GetPayload()) == len(asked.Payload) {
		return nil
	}
	return fmt.Errorf("remote: the reply to %v is %v", asked, reply)
}

// Asks is how this library asks actors of another process, as a limit for what
// else it does: a contender called remote ask. There are as many actors as grains
// of the others, and which says whom a caller asks that has asked i before: to ask
// an actor again that was just asked is cheaper.
func Asks(callers, asks, actors int, which func(caller, i int) int) bench.Contender {
	return bench.Contender{Name: "remote ask", Open: open(server(bench.Protocluster), func(ctx context.Context, at string) (asker, error) {
		p, err := connectProtocluster(ctx, at, actors)
		return walk{p, which}, err
	}, ask{callers: callers, asks: asks}.run, fmt.Sprint(actors))}
}

// walk asks one actor after the other.
type walk struct {
	*protocluster
	which func(caller, i int) int
}

func (w walk) ask(ctx context.Context, caller int, m *benchpb.Item) (*benchpb.Item, error) {
	return w.protocluster.ask(ctx, w.which(caller, int(m.GetNumber())), m)
}

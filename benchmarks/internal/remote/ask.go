package remote

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

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
		contender(bench.Protocluster, func(ctx context.Context, address string) (asker, error) { return connectProtocluster(ctx, address) }, a.run),
		contender(bench.ProtoActor, func(ctx context.Context, address string) (asker, error) { return connectProtoActor(ctx, address) }, a.run),
		contender(grpcStream, func(ctx context.Context, address string) (asker, error) {
			return connectStream(ctx, address, a.callers)
		}, a.run),
		contender(grpcUnary, func(_ context.Context, address string) (asker, error) { return connectUnary(address) }, a.run),
	}
	if a.callers == 1 {
		return append(contenders, contender(tcp, func(ctx context.Context, address string) (asker, error) { return connectPingPong(ctx, address) }, a.run))
	}
	return append(contenders, contender(tcp, func(ctx context.Context, address string) (asker, error) { return connectTCP(ctx, address, a.callers) }, a.run))
}

// run yields the median latency of one caller, or of more their rate and the
// latency that 99 % keep within.
func (a ask) run(ctx context.Context, p asker) (bench.Sample, error) {
	each := a.asks / a.callers
	latencies := make([]time.Duration, each*a.callers)
	errs := make([]error, a.callers)
	var done sync.WaitGroup
	start := time.Now()
	for caller := range a.callers {
		done.Go(func() { errs[caller] = askInTurn(ctx, p, caller, latencies[caller*each:(caller+1)*each]) })
	}
	done.Wait()
	took := time.Since(start)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	slices.Sort(latencies)
	if a.callers == 1 {
		return bench.Sample{float64(latencies[len(latencies)/2])}, nil
	}
	return bench.Sample{float64(len(latencies)) / took.Seconds(), float64(latencies[len(latencies)*99/100])}, nil
}

// askInTurn asks once for each latency, and compares the reply with what was
// asked.
func askInTurn(ctx context.Context, p asker, caller int, latencies []time.Duration) error {
	payload := make([]byte, payloadOf(smallest))
	for i := range latencies {
		m := &benchpb.Item{From: uint32(caller), Number: uint32(i), Payload: payload} //nolint:gosec // they are few
		start := time.Now()
		reply, err := p.ask(ctx, caller, m)
		latencies[i] = time.Since(start)
		if err != nil {
			return err
		}
		if reply.From != uint32(caller) || reply.Number != uint32(i) || len(reply.Payload) != len(payload) { //nolint:gosec // they are few
			return fmt.Errorf("remote: caller %d asked %d and was replied to with %v", caller, i, reply)
		}
	}
	return nil
}

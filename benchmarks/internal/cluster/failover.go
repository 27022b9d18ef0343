package cluster

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/protocluster/workshop/benchmarks/internal/bench"
	"github.com/protocluster/workshop/benchmarks/internal/gen/benchpb"
	"github.com/protocluster/workshop/benchmarks/internal/remote"
)

// failover is a workload: one of two processes that host grains is killed, and
// callers ask each grain until it answers.
type failover struct {
	callers int
	grains  int
}

func failovers(quick bool) bench.Workload {
	f := failover{callers: 64, grains: bench.Pick(quick, 128, 1_000)}
	w := bench.Workload{Name: "cluster/failover", Title: fmt.Sprintf("kill of a member until all of %d grains answer", f.grains),
		Metrics: []bench.Metric{{Unit: "ns", LessBetter: true}}}
	for _, s := range systems() {
		round := 0
		w.Contenders = append(w.Contenders, s.contender(elsewhere, nothing, func(ctx context.Context, n node) (bench.Sample, error) {
			round++
			return f.run(ctx, n, fmt.Sprint(round, "-"))
		}))
	}
	return w
}

// run adds a process, activates grains whose names have that prefix, and kills
// it.
func (f failover) run(ctx context.Context, n node, prefix string) (bench.Sample, error) {
	victim, err := n.launch(ctx)
	if err != nil {
		return nil, err
	}
	defer victim.Kill()
	if err := bench.Until(ctx, "two members host grains", func() bool { return n.hosts() == 2 }); err != nil {
		return nil, err
	}
	if err := f.each(ctx, n, prefix); err != nil {
		return nil, err
	}
	if err := f.mustHost(ctx, n, prefix, victim.Address); err != nil {
		return nil, err
	}
	start := time.Now()
	victim.Kill()
	if err := f.each(ctx, n, prefix); err != nil {
		return nil, err
	}
	took := time.Since(start)
	return bench.Sample{float64(took)}, bench.Until(ctx, "the killed member is gone", func() bool { return n.hosts() == 1 })
}

// mustHost fails unless a fair share of the grains is at that address.
func (f failover) mustHost(ctx context.Context, n node, prefix, address string) error {
	there := 0
	for i := range f.grains {
		at, err := n.locate(ctx, prefix+strconv.Itoa(i))
		if err != nil {
			return err
		}
		if at == address {
			there++
		}
	}
	if there < f.grains/4 {
		return fmt.Errorf("cluster: only %d of %d grains are on the member that is to be killed", there, f.grains)
	}
	return nil
}

// each asks every grain, again and again until it answers.
func (f failover) each(ctx context.Context, n node, prefix string) error {
	payload := remote.Payload()
	_, err := bench.Callers(ctx, f.callers, (f.grains+f.callers-1)/f.callers, func(ctx context.Context, caller, i int) error {
		m := remote.Question(caller, i, payload)
		identity := prefix + strconv.Itoa((i*f.callers+caller)%f.grains)
		for {
			reply, err := try(ctx, n, identity, m)
			if err == nil {
				return remote.Answers(reply, m)
			}
			select {
			case <-time.After(10 * time.Millisecond):
			case <-ctx.Done():
				return fmt.Errorf("cluster: grain %s does not answer: %w", identity, err)
			}
		}
	})
	return err
}

// try asks once, and waits for a second.
func try(ctx context.Context, n node, identity string, m *benchpb.Item) (*benchpb.Item, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return n.request(ctx, identity, m)
}

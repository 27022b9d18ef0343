package cluster

import (
	"context"
	"fmt"
	"strconv"

	"github.com/protocluster/workshop/benchmarks/internal/bench"
	"github.com/protocluster/workshop/benchmarks/internal/remote"
)

// request is a workload: callers ask warm grains, each waiting for the reply
// before it asks another.
type request struct {
	callers    int
	identities []string // made before, as the actors of the remote ask are
	requests   int      // in all, about
}

// allRemote has all grains in one other process.
func allRemote(callers, requests int, quick bool) bench.Workload {
	r := newRequest(callers, requests, quick)
	w := r.workload("remote", "all remote", elsewhere)
	w.Contenders = append(w.Contenders, remote.Asks(callers, requests, len(r.identities), r.which))
	goals := []bench.Goal{{Than: RemoteAsk, Factor: 0.9}, {Than: bench.Eventual, Factor: 0.95}}
	if callers > 1 {
		w.Metrics[0].Goals = goals
		w.Slices = 10
	}
	return w
}

// halfRemote has about half of them in this process.
func halfRemote(callers, requests int, quick bool) bench.Workload {
	return newRequest(callers, requests, quick).workload("half", "half remote", layout{here: true, others: 1})
}

func newRequest(callers, requests int, quick bool) request {
	r := request{callers: callers, requests: requests}
	for i := range bench.Pick(quick, 200, 10_000) {
		r.identities = append(r.identities, strconv.Itoa(i))
	}
	return r
}

func (r request) workload(name, title string, l layout) bench.Workload {
	w := bench.Workload{
		Name:   fmt.Sprintf("cluster/request/%s/%d", name, r.callers),
		Title:  fmt.Sprintf("cluster request, %s, %d callers", title, r.callers),
		Slices: 5,
		Metrics: []bench.Metric{
			{Unit: "/s"},
			{Name: "p99", Unit: "ns", LessBetter: true},
		},
	}
	if r.callers == 1 {
		w.Slices = 1
		w.Title = fmt.Sprintf("cluster request, %s, 1 caller, p50", title)
		w.Metrics = []bench.Metric{{Unit: "ns", LessBetter: true}}
	}
	for _, s := range systems() {
		w.Contenders = append(w.Contenders, s.contender(l, r.warm, r.run))
	}
	return w
}

// warm activates all grains.
func (r request) warm(ctx context.Context, n node) error {
	const callers = 64
	_, err := askEach(ctx, n, callers, (len(r.identities)+callers-1)/callers, func(caller, i int) string {
		return r.identities[(i*callers+caller)%len(r.identities)]
	})
	return err
}

// run yields the median latency of one caller, or of more their rate and the
// latency that 99 % keep within.
func (r request) run(ctx context.Context, n node) (bench.Sample, error) {
	times, err := askEach(ctx, n, r.callers, r.requests/r.callers, func(caller, i int) string {
		return r.identities[r.which(caller, i)]
	})
	switch {
	case err != nil:
		return nil, err
	case r.callers == 1:
		return bench.Sample{times.Within(50)}, nil
	}
	return bench.Sample{times.Rate(), times.Within(99)}, nil
}

// which is the identity that a caller asks which has asked i before: each goes
// through them with a stride of its own.
func (r request) which(caller, i int) int { return (caller*7919 + i*(2*caller+1)) % len(r.identities) }

// askEach has callers ask n grains each, and compares the replies.
func askEach(ctx context.Context, nd node, callers, n int, identity func(caller, i int) string) (*bench.Times, error) {
	payload := remote.Payload()
	return bench.Callers(ctx, callers, n, func(ctx context.Context, caller, i int) error {
		m := remote.Question(caller, i, payload)
		reply, err := nd.request(ctx, identity(caller, i), m)
		if err != nil {
			return err
		}
		return remote.Answers(reply, m)
	})
}

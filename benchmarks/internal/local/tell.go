package local

import (
	"context"
	"sync"
	"time"

	"github.com/protocluster/workshop/benchmarks/internal/bench"
	"github.com/protocluster/workshop/benchmarks/internal/tally"
)

// tell is a workload: senders send messages, none of which is answered.
type tell struct {
	senders, actors int
	pairs           bool // each sender has an actor of its own; else it sends to all in turn
	messages        int  // in all, about
}

// teller is a system that can be told.
type teller interface {
	system
	// count starts an actor for each counter, which calls done when it has
	// taken its last message.
	count(counters []*tally.Counter, done func())
	// send sends the ticks to the actors from first to before last, in turn.
	send(first, last int, ticks []tally.Tick)
}

func tellers(t tell) []bench.Contender {
	return []bench.Contender{
		contender(bench.Protocluster, func() teller { return newProtocluster() }, t.run),
		contender(bench.ProtoActor, func() teller { return newProtoActor() }, t.run),
		contender("channel", func() teller { return newChannels() }, t.run),
		contender("mailbox", func() teller { return newMailboxes() }, t.run),
		contender("pool", func() teller { return newPool() }, t.run),
	}
}

// run measures from the first message that is sent to the last that is handled.
func (t tell) run(ctx context.Context, s teller) (bench.Sample, error) {
	ticks, counters := t.prepare()
	var handled sync.WaitGroup
	handled.Add(t.actors)
	s.count(counters, handled.Done)
	before := bench.Allocations()
	start := time.Now()
	for from := range t.senders {
		first, last := 0, t.actors
		if t.pairs {
			first, last = from, from+1
		}
		go s.send(first, last, ticks[from])
	}
	if err := tally.Await(ctx, &handled); err != nil {
		return nil, err
	}
	took := time.Since(start)
	total := float64(t.senders * len(ticks[0]))
	return bench.Sample{total / took.Seconds(), float64(bench.Allocations()-before) / total}, tally.Check(counters)
}

// prepare returns what each sender sends, and what counts it at each actor.
func (t tell) prepare() ([][]tally.Tick, []*tally.Counter) {
	receivers := t.actors // of a sender
	if t.pairs {
		receivers = 1
	}
	each := t.messages / t.senders // of a sender
	each -= each % receivers
	counters := make([]*tally.Counter, t.actors)
	for i := range counters {
		counters[i] = tally.NewCounter(t.senders, each*t.senders/t.actors)
	}
	return tally.Ticks(t.senders, receivers, each), counters
}

// inTurn calls send for each tick, with the actors in turn.
func inTurn[A any](actors []A, ticks []tally.Tick, send func(to A, m *tally.Tick)) {
	to := 0
	for i := range ticks {
		send(actors[to], &ticks[i])
		if to++; to == len(actors) {
			to = 0
		}
	}
}

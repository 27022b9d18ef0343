package remote

import (
	"github.com/protocluster/workshop/benchmarks/internal/gen/benchpb"
	"github.com/protocluster/workshop/benchmarks/internal/tally"
)

// How many actors a server of actors has, and their names before the number.
const (
	receivers    = 8
	echoes       = 64
	receiverName = "receiver"
	echoName     = "echo"
)

// receiver is an actor that counts. Its methods are for one goroutine at a time.
type receiver struct {
	counter *tally.Counter
	waiting func(m any) // replies to an Await; nil if nobody waits
	done    bool
}

// take counts one message.
func (r *receiver) take(m *benchpb.Item) {
	if r.counter == nil || !r.counter.Count(m.From, m.Number) {
		return
	}
	r.done = true
	if r.waiting != nil {
		r.waiting(r.tally())
		r.waiting = nil
	}
}

// obey does what an Expect or Await says; reply may be kept.
func (r *receiver) obey(m any, reply func(m any)) {
	switch m := m.(type) {
	case *benchpb.Expect:
		r.counter, r.waiting, r.done = tally.NewCounter(int(m.Senders), int(m.Messages)), nil, false
		reply(&benchpb.Tally{})
	case *benchpb.Await:
		if m.Now || r.done {
			reply(r.tally())
			return
		}
		r.waiting = reply
	}
}

func (r *receiver) tally() *benchpb.Tally { return tallied(r.counter) }

func tallied(c *tally.Counter) *benchpb.Tally {
	return &benchpb.Tally{Messages: uint32(c.Got()), Misplaced: uint32(c.Misplaced())}
}

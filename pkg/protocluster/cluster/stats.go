package cluster

import (
	"sync/atomic"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/tally"
)

// Stats counts what a node did since New.
type Stats struct {
	Requests    uint64  // calls of Request that have ended
	Failures    uint64  // of these that ended with an error, be it the virtual actor's own
	Unknown     uint64  // of those after which nobody knows what became of the message
	Latency     Latency // of all of these
	Retries     uint64  // tries after the first, of requests, sends and look-ups
	CacheHits   uint64  // look-ups that the cache of PIDs was enough for; a Request's counts once that has ended
	CacheMisses uint64
	Activations uint64 // begun on this node
	Displaced   uint64 // ended because placement gave them to another member; until then eventual ones may have had a duplicate there

	// With a view store, on a member:
	Lapses      uint64        // times that the lease ended in a view: messages of strict kinds waited
	Evictions   uint64        // views that did without this member, which had not left
	Violations  uint64        // of the protocol's invariants: a bug, or a clock that is off by more than 1 %
	StoreErrors uint64        // calls to the store that failed
	StoreWrites uint64        // that this member made
	StoreAge    time.Duration // of the newest evidence that the store shows the view; negative: none
	StoreOut    time.Time     // since when the store has not answered; zero: it does
	Lease       time.Duration // what is left of the lease, unless it is renewed; 0: there is none
}

// Latency counts durations by size; its Quantile is what of it is drawn.
type Latency = tally.Counts

type counters struct {
	retries, hits, misses, activations, displaced atomic.Uint64

	calls tally.Calls // of Request; each that the PID in the cache was enough for is a hit as well
}

// Stats returns the counts so far.
func (c *Cluster) Stats() Stats {
	s := &c.stats
	took, known, failures, unknown := s.calls.Counts()
	stats := Stats{
		Requests: took.Total(), Failures: failures, Unknown: unknown, Latency: took,
		Retries: s.retries.Load(), CacheHits: s.hits.Load() + known, CacheMisses: s.misses.Load(),
		Activations: s.activations.Load(), Displaced: s.displaced.Load(),
	}
	if n := c.node.Load(); n != nil {
		n.tenure.count(&stats)
	}
	return stats
}

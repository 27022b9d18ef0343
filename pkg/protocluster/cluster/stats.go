package cluster

import "sync/atomic"

// Stats counts what a node did since New.
type Stats struct {
	Requests    uint64 // calls of Request
	Retries     uint64 // tries after the first, of requests, sends and look-ups
	CacheHits   uint64
	CacheMisses uint64
	Activations uint64 // begun on this node
	Displaced   uint64 // ended because placement gave them to another member; until then they may have had a duplicate there
}

type counters struct {
	requests, retries, hits, misses, activations, displaced atomic.Uint64
}

// Stats returns the counts so far.
func (c *Cluster) Stats() Stats {
	s := &c.stats
	return Stats{
		Requests: s.requests.Load(), Retries: s.retries.Load(),
		CacheHits: s.hits.Load(), CacheMisses: s.misses.Load(),
		Activations: s.activations.Load(), Displaced: s.displaced.Load(),
	}
}

package dashboard

import (
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/tally"
)

// mostPoints is how many seconds charts show.
const mostPoints = 120

// point is what happened in one second.
type point struct {
	At       int64   `json:"at"`       // its end, in milliseconds since 1970
	Requests float64 `json:"requests"` // that ended, per second
	Failures float64 `json:"failures"` // of them
	Unknown  float64 `json:"unknown"`  // of these
	Handled  float64 `json:"handled"`  // messages of virtual actors, per second
	Median   float64 `json:"median"`   // milliseconds that requests took
	Slow     float64 `json:"slow"`     // and the slowest of a hundred
}

// counted is what a node has counted at some instant.
type counted struct {
	system                     string
	at                         time.Time
	requests                   uint64
	failures, unknown, handled uint64
	latency                    tally.Counts
}

func count(s said) counted {
	r := s.reply
	c := counted{system: r.GetSystem(), at: s.answered, failures: r.GetFailures(), unknown: r.GetUnknown(), handled: r.GetHandled()}
	copy(c.latency[:], r.GetLatency())
	c.requests = c.latency.Total()
	return c
}

// since returns what was counted after before. A node that was started anew has
// counted all of it since.
func (c counted) since(before counted) counted {
	if c.system != before.system {
		return c
	}
	c.requests -= min(c.requests, before.requests)
	c.failures -= min(c.failures, before.failures)
	c.unknown -= min(c.unknown, before.unknown)
	c.handled -= min(c.handled, before.handled)
	c.latency = c.latency.Since(before.latency)
	return c
}

// rates makes points of what all nodes have counted.
type rates struct {
	at     time.Time          // of the last point
	before map[string]counted // then, by address
	points []point            // the oldest first; what was taken of it is never modified
	each   map[string]float64 // messages per second, by address
}

// add makes a point if it is time for one. Nodes that have been heard for the
// first time count from then on.
func (r *rates) add(now time.Time, all map[string]said) {
	if now.Sub(r.at) < time.Second {
		return
	}
	first := r.at.IsZero()
	seconds, sum := now.Sub(r.at).Seconds(), counted{}
	next, each := make(map[string]counted, len(all)), make(map[string]float64, len(all))
	for address, s := range all {
		if s.reply == nil {
			continue
		}
		c := count(s)
		next[address] = c
		before, known := r.before[address]
		if !known {
			continue
		}
		d := c.since(before)
		sum.requests += d.requests
		sum.failures += d.failures
		sum.unknown += d.unknown
		sum.handled += d.handled
		sum.latency = sum.latency.And(d.latency)
		each[address] = float64(d.handled) / seconds
	}
	r.at, r.before, r.each = now, next, each
	if first {
		return
	}
	p := point{
		At: now.UnixMilli(), Requests: float64(sum.requests) / seconds, Failures: float64(sum.failures) / seconds,
		Unknown: float64(sum.unknown) / seconds, Handled: float64(sum.handled) / seconds,
		Median: milliseconds(sum.latency.Quantile(0.5)), Slow: milliseconds(sum.latency.Quantile(0.99)),
	}
	kept := r.points[max(0, len(r.points)+1-mostPoints):]
	r.points = append(kept[:len(kept):len(kept)], p)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

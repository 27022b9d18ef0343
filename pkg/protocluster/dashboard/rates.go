package dashboard

import (
	"slices"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/tally"
)

// mostPoints is how many seconds charts show.
const mostPoints = 120

// point is what happened in one second.
type point struct {
	At       int64   `json:"at"`       // its end, in milliseconds since 1970
	Requests float64 `json:"requests"` // that ended, per second
	Failures uint64  `json:"failures"` // of them, in all
	Unknown  uint64  `json:"unknown"`  // of these
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
	var p point
	var latency tally.Counts
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
		seconds := c.at.Sub(before.at).Seconds()
		if seconds <= 0 {
			continue // it has not answered since
		}
		d := c.since(before)
		p.Requests += float64(d.requests) / seconds
		p.Failures += d.failures
		p.Unknown += d.unknown
		each[address] = float64(d.handled) / seconds
		p.Handled += each[address]
		latency = latency.And(d.latency)
	}
	r.at, r.before, r.each = now, next, each
	if first {
		return
	}
	p.At, p.Median, p.Slow = now.UnixMilli(), milliseconds(latency.Quantile(0.5)), milliseconds(latency.Quantile(0.99))
	kept := r.points[max(0, len(r.points)+1-mostPoints):]
	r.points = append(slices.Clip(kept), p)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// Package tally counts calls: how many, how they ended and how long they took.
package tally

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

// Buckets is how many sizes of durations are told apart.
const Buckets = 54

// longest is the first microsecond of the last bucket, which has no end: 67 s.
const longest = 1 << 26

// Durations counts durations by size, two buckets to an octave. The zero value is
// empty. Its methods may be called concurrently, and do not block.
type Durations struct{ counts [Buckets]atomic.Uint64 }

// Add counts one more; a negative one is none at all.
func (d *Durations) Add(took time.Duration) { d.counts[bucket(took)].Add(1) }

// bucket is 0 below a microsecond, else i for those of 2^((i-1)/2) µs up to the
// next: the binary length of the square.
func bucket(took time.Duration) int {
	us := uint64(min(max(took.Microseconds(), 0), longest))
	return bits.Len64(us * us)
}

// Counts returns how many there are in each bucket.
func (d *Durations) Counts() Counts {
	var c Counts
	for i := range d.counts {
		c[i] = d.counts[i].Load()
	}
	return c
}

// Counts is how many durations there are in each bucket.
type Counts [Buckets]uint64

// Total is how many there are.
func (c Counts) Total() (n uint64) {
	for _, count := range c {
		n += count
	}
	return n
}

// Since returns those that came after before, which was counted earlier.
func (c Counts) Since(before Counts) Counts {
	for i := range c {
		c[i] -= min(c[i], before[i])
	}
	return c
}

// And returns those of both.
func (c Counts) And(more Counts) Counts {
	for i := range c {
		c[i] += more[i]
	}
	return c
}

// Quantile returns the duration that the part q of all does not exceed, within a
// fifth or so; 0 if there are none.
func (c Counts) Quantile(q float64) time.Duration {
	rank := q * float64(c.Total())
	for i, count := range c {
		if rank > float64(count) || count == 0 {
			rank -= float64(count)
			continue
		}
		low, high := bound(i), bound(i+1)
		return time.Duration((low + (high-low)*rank/float64(count)) * float64(time.Microsecond))
	}
	return 0
}

// bound is where bucket i begins, in microseconds.
func bound(i int) float64 {
	if i == 0 {
		return 0
	}
	return math.Exp2(float64(i-1) / 2)
}

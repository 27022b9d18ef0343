package rendezvous

import (
	"math"
	"math/bits"
)

// A weight is an integer of units where it decides, and so is all that is
// computed with it: the logarithms of package math differ in their last digits
// from one architecture to the next.
const (
	weightUnit = 1 << 32
	minWeight  = 1e-6
	maxWeight  = 1e6
)

// NewWeightedTable is NewTable for members whose shares are in proportion to
// their weights, of which weights[i] is that of names[i]. 0, or none, means 1;
// weights below a millionth and above a million count as these. If all are equal
// the owners are those of NewTable; if the weight of one member changes, keys
// move only from it or to it.
func NewWeightedTable(names []string, weights []float64) Table {
	t := NewTable(names)
	for i := range t.members {
		m := &t.members[i]
		m.weight = weightUnit
		if m.index < len(weights) {
			m.weight = units(weights[m.index])
		}
		t.weighted = t.weighted || m.weight != t.members[0].weight
	}
	return t
}

// units is w in units, rounded. Multiplication by a power of two is exact.
func units(w float64) uint64 {
	if w == 0 || math.IsNaN(w) {
		w = 1
	}
	return uint64(min(max(w, minWeight), maxWeight)*weightUnit + 0.5)
}

// bid is what a member offers for a key.
type bid struct {
	index  int
	weight uint64
	score  uint64
	cost   uint64 // of the score; the higher weight/cost wins
}

// weightedOwner is Owner for members of different weights. With the score as a
// number u between 0 and 1, −weight/ln u decides; −log₂ u in place of −ln u
// changes nothing. Of equals the higher score wins, then the name as in Owner.
//
// Weighted rendezvous hashing; Thaler & Ravishankar, IEEE/ACM ToN 6(1), 1998, in
// the logarithmic form of Schindelhauer & Schomaker, SPAA 2005.
func (t Table) weightedOwner(key Key) int {
	best, hash := bid{index: -1}, keyHash(key)
	for _, m := range t.members {
		b := bid{index: m.index, weight: m.weight, score: score(m.hash, hash)}
		b.cost = leastCost(b.score)
		if best.index >= 0 && !b.beats(&best) {
			continue // most end here, without a logarithm
		}
		b.cost = cost(b.score)
		if best.index < 0 || b.beats(&best) {
			best = b
		}
	}
	return best.index
}

func (b *bid) beats(c *bid) bool {
	bHigh, bLow := bits.Mul64(b.weight, c.cost)
	cHigh, cLow := bits.Mul64(c.weight, b.cost)
	switch {
	case bHigh != cHigh:
		return bHigh > cHigh
	case bLow != cLow:
		return bLow > cLow
	}
	return b.score > c.score
}

// costDigits are the binary digits of a cost after the point.
const costDigits = 32

// cost is −log₂ u with u = score/2⁶⁴, rounded up. A higher score never costs more:
// each digit comes from the square of what is left, rounded down.
func cost(score uint64) uint64 {
	score |= 1 // for 0 has no logarithm
	zeros := bits.LeadingZeros64(score)
	x := score << zeros // a number from 1 up to 2, the point behind its first digit
	log := uint64(0)
	for range costDigits {
		high, low := bits.Mul64(x, x)
		small := high>>63 ^ 1 // 0 if x² is 2 or more, and is to be halved; a branch would be mispredicted half the time
		log = log<<1 | small ^ 1
		x = high<<(small&1) | low>>63&small
	}
	return uint64(zeros+1)<<costDigits - log
}

// leastCost is at most cost: −log₂ u ≥ (1−u)·log₂ e, and all but the best scores
// are told by that.
func leastCost(score uint64) uint64 {
	const log2e = 6196328018 // rounded down, with as many digits as a cost
	least, _ := bits.Mul64(-(score | 1), log2e)
	return least
}

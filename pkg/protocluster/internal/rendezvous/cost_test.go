package rendezvous

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"
)

// scores are some at the ends and some at random.
func scores() []uint64 {
	all := []uint64{0, 1, 2, 3, math.MaxUint64, math.MaxUint64 - 1, math.MaxUint64 - 2}
	for i := range 63 {
		all = append(all, 1<<i, 1<<i-1, 1<<i+1, -(1 << i), -(1<<i + 1))
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 5_000 {
		s := random.Uint64()
		all = append(all, s, s>>random.UintN(64), -(s >> random.UintN(64)))
	}
	return all
}

func TestCost_IsTheLogarithm(t *testing.T) {
	for _, s := range scores() {
		want := 64 - math.Log2(float64(s|1)) // float64 rounds s to 53 digits
		if got := float64(cost(s)) / (1 << costDigits); math.Abs(got-want) > 1e-9 {
			t.Errorf("cost(%#x) = %v, want %v", s, got, want)
		}
	}
}

func TestCost_FallsWithTheScore(t *testing.T) {
	for _, s := range scores() {
		for _, higher := range []uint64{s + 1, s + 1000, s + s>>40, s + s>>10} {
			if higher > s && cost(higher) > cost(s) {
				t.Errorf("cost(%#x) = %#x, want at most %#x, which %#x costs", higher, cost(higher), cost(s), s)
			}
		}
	}
}

func TestLeastCost_IsNotOverTheCost(t *testing.T) {
	near := 0
	for _, s := range scores() {
		least, c := leastCost(s), cost(s)
		if least > c {
			t.Errorf("leastCost(%#x) = %#x, want at most %#x", s, least, c)
		}
		if bits.LeadingZeros64(^s) > 5 && least > c-c/20-1 {
			near++
		}
	}
	if near == 0 {
		t.Error("leastCost is near the cost of no high score: it rules out nothing")
	}
}

// A higher cost of one digit must not let a lower score win among equals.
func TestBid_OfEqualWeightsTheHigherScoreWins(t *testing.T) {
	const weight = 3 * weightUnit
	for _, s := range scores() {
		if s == math.MaxUint64 {
			continue
		}
		low, high := bid{weight: weight, score: s, cost: cost(s)}, bid{weight: weight, score: s + 1, cost: cost(s + 1)}
		if !high.beats(&low) || low.beats(&high) || low.beats(&low) {
			t.Errorf("the bid of score %#x does not win against that of %#x", s+1, s)
		}
	}
}

func TestUnits(t *testing.T) {
	rows := []struct {
		weight float64
		want   uint64
	}{
		{0, weightUnit}, {1, weightUnit}, {math.NaN(), weightUnit}, {2.5, 5 * weightUnit / 2},
		{math.Inf(1), 1_000_000 * weightUnit}, {1e300, 1_000_000 * weightUnit}, {-1, 4295}, {1e-300, 4295}, {1e-6, 4295},
	}
	for _, row := range rows {
		if got := units(row.weight); got != row.want {
			t.Errorf("units(%v) = %d, want %d", row.weight, got, row.want)
		}
	}
}

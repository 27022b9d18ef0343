package story

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
)

// The environment that a run is steered by.
const (
	seedVariable  = "WORKSHOP_SEED"  // the one to run
	seedsVariable = "WORKSHOP_SEEDS" // how many to run
	traceVariable = "WORKSHOP_TRACE" // not empty: print each timeline
)

// Bubble calls f in a bubble of testing/synctest, with a story about claim.
func Bubble(t *testing.T, claim string, f func(t *testing.T, s *Story)) {
	t.Helper()
	var trace string
	synctest.Test(t, func(t *testing.T) {
		s := start(t, claim, 0)
		s.timed = true
		defer func() { trace = s.digest() }()
		f(t, s)
		s.print()
	})
	t.Attr("trace", trace)
}

// Seeds is Bubble for each of n seeds, from 1 on. All that is random has to come
// from r, which is the same for the same seed of the same test.
func Seeds(t *testing.T, n int, claim string, f func(t *testing.T, s *Story, r *rand.Rand)) {
	t.Helper()
	first, last := seeds(t, n)
	all := sha256.New()
	for seed := first; seed <= last; seed++ {
		synctest.Test(t, func(t *testing.T) {
			s := start(t, claim, seed)
			s.timed = true
			f(t, s, rand.New(rand.NewPCG(seed, hash(t.Name()))))
			s.print()
			fmt.Fprintln(all, seed, s.digest())
		})
	}
	t.Attr("trace", hex.EncodeToString(all.Sum(nil)))
}

// seeds returns the first and the last seed to run.
func seeds(t testing.TB, n int) (first, last uint64) {
	t.Helper()
	if seed, ok := number(t, seedVariable); ok {
		return seed, seed
	}
	if most, ok := number(t, seedsVariable); ok {
		return 1, most
	}
	return 1, uint64(max(n, 1))
}

func number(t testing.TB, variable string) (uint64, bool) {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return 0, false
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n == 0 {
		t.Fatalf("%s=%q is no number from 1 on", variable, text)
	}
	return n, true
}

func hash(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return h.Sum64()
}

// digest is that of all that was noted.
func (s *Story) digest() string {
	sum := sha256.New()
	for _, e := range s.sorted() {
		fmt.Fprintf(sum, "%d\t%s\t%s\n", s.traced(e), e.who, e.what)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// print shows the timeline of a run that went well, if that was asked for.
func (s *Story) print() {
	if os.Getenv(traceVariable) == "" {
		return
	}
	out := s.t.Output()
	fmt.Fprintf(out, "%s\n", s.claim)
	if s.seed != 0 {
		fmt.Fprintf(out, "seed %d\n", s.seed)
	}
	for _, line := range s.timeline(len(s.all())) {
		fmt.Fprintln(out, line)
	}
}

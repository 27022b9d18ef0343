package search

import (
	"math"
	"sync/atomic"
	"time"
)

// System is a machine with states S that takes steps T.
type System[S comparable, T any] interface {
	// Initial is the state to start in.
	Initial() S
	// Expander returns a function that passes each successor of a state,
	// and the step to it, to visit, which does not keep it. Each worker has
	// its own.
	Expander(visit func(T, *S)) func(*S)
	// Hash mixes the whole state with a seed.
	Hash(s *S, seed uint64) uint64
	// Check says what is wrong with a state, or "". Workers call it
	// concurrently, once for each state.
	Check(s *S) string
}

// Options bound a search. The zero value means one worker and 1 GiB.
type Options struct {
	Workers  int
	Memory   int64 // bytes; a search that needs more ends incomplete
	Seed     uint64
	Progress *Progress // if not nil, is kept up to date
}

func (o Options) withDefaults() Options {
	o.Workers = max(o.Workers, 1)
	if o.Memory <= 0 {
		o.Memory = 1 << 30
	}
	if o.Progress == nil {
		o.Progress = new(Progress)
	}
	return o
}

// Progress is how far a search is. It may be read while the search goes on.
type Progress struct {
	States      atomic.Int64 // different ones
	Transitions atomic.Int64 // steps tried
	Frontier    atomic.Int64 // states of this depth
	Depth       atomic.Int64
}

// Result is what a search has found.
type Result[S comparable] struct {
	States      int64
	Transitions int64
	Depth       int   // of the state that is farthest away, or of the wrong one
	Frontier    int64 // the most states of one depth
	Elapsed     time.Duration
	Wrong       string // what is wrong with State; "" if nothing was found
	State       S
	Complete    bool // all states were visited
}

// Rate is how many new states were found in a second.
func (r Result[S]) Rate() float64 { return float64(r.States) / max(r.Elapsed.Seconds(), 1e-9) }

// Collision bounds the probability that any of n states was taken for another.
func Collision(n int64) float64 { return math.Ldexp(float64(n)*float64(n), -65) }

package search

import (
	"context"
	"math/rand/v2"
	"time"
)

// Classes may be implemented by a System to have Walk first choose among the
// classes of the steps that are possible, and then among the steps of one, so
// that rare steps are not drowned.
type Classes[T any] interface {
	Class(T) int
}

// Walk takes random steps, depth of them from the initial state and then again,
// until the context ends or a state is wrong, and returns the steps to that. It
// visits states more than once and never knows that it has seen all. The same
// seed takes the same steps.
func Walk[S comparable, T any](ctx context.Context, sys System[S, T], depth int, options Options) (Result[S], []T) {
	o := options.withDefaults()
	start := time.Now()
	random := rand.New(rand.NewPCG(o.Seed, 0))
	w := walker[S, T]{sys: sys, random: random}
	w.expand = sys.Expander(func(step T, s *S) { w.next = append(w.next, move[S, T]{*s, step}) })
	var result Result[S]
	var path []T
	for result.Wrong == "" && ctx.Err() == nil {
		state := sys.Initial()
		path = path[:0]
		for len(path) < depth && result.Wrong == "" {
			m, ok := w.move(&state)
			if !ok {
				break
			}
			state, path = m.state, append(path, m.step)
			result.Transitions++
			result.Depth = max(result.Depth, len(path))
			result.Wrong, result.State = sys.Check(&state), state
		}
		o.Progress.States.Add(1)
		o.Progress.Transitions.Store(result.Transitions)
		o.Progress.Depth.Store(int64(result.Depth))
		result.States++
	}
	result.Elapsed = time.Since(start)
	if result.Wrong == "" {
		return result, nil
	}
	return result, path
}

type move[S, T any] struct {
	state S
	step  T
}

type walker[S comparable, T any] struct {
	sys    System[S, T]
	random *rand.Rand
	expand func(*S)
	next   []move[S, T]
}

// move chooses one of the steps from s, if there are any.
func (w *walker[S, T]) move(s *S) (move[S, T], bool) {
	w.next = w.next[:0]
	w.expand(s)
	if len(w.next) == 0 {
		return move[S, T]{}, false
	}
	classes, ok := w.sys.(Classes[T])
	if !ok {
		return w.next[w.random.IntN(len(w.next))], true
	}
	var sizes [64]int
	kinds := 0
	for _, m := range w.next {
		c := classes.Class(m.step) & 63
		if sizes[c] == 0 {
			kinds++
		}
		sizes[c]++
	}
	kind := w.random.IntN(kinds)
	for c, size := range sizes {
		if size == 0 {
			continue
		}
		if kind == 0 {
			return w.nth(classes, c, w.random.IntN(size)), true
		}
		kind--
	}
	return w.next[0], true
}

// nth is the nth step of a class.
func (w *walker[S, T]) nth(classes Classes[T], class, n int) move[S, T] {
	for _, m := range w.next {
		if classes.Class(m.step)&63 != class {
			continue
		}
		if n == 0 {
			return m
		}
		n--
	}
	return w.next[0]
}

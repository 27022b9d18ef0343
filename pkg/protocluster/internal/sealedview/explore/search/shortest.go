package search

import (
	"context"
	"slices"
	"time"
)

// link is how a state was reached for the first time.
type link[T any] struct {
	from int32 // the index of the state before; -1 for the first
	step T
}

// Shortest visits the states of sys breadth first, in an order that never
// varies, until one is wrong, and returns the steps to it: there is no shorter
// way. Without a wrong state it returns no steps.
func Shortest[S comparable, T any](ctx context.Context, sys System[S, T], options Options) (Result[S], []T) {
	o := options.withDefaults()
	start := time.Now()
	v := newVisited(o.Memory / 2)
	type entry struct {
		state S
		index int32
	}
	var (
		result    Result[S]
		links     []link[T]
		layer     []entry
		next      []entry
		parent    = int32(-1)
		wrong     = int32(-1)
		exhausted bool
	)
	visit := func(step T, s *S) {
		result.Transitions++
		if wrong >= 0 || !v.add(sys.Hash(s, o.Seed)) {
			return
		}
		v.count.Add(1)
		result.States++
		links = append(links, link[T]{parent, step})
		if what := sys.Check(s); what != "" {
			wrong, result.Wrong, result.State = int32(len(links)-1), what, *s
		}
		next = append(next, entry{*s, int32(len(links) - 1)})
	}
	expand := sys.Expander(visit)
	first := sys.Initial()
	var none T
	visit(none, &first)
	for result.Depth = 0; wrong < 0 && len(next) > 0 && !exhausted; result.Depth++ {
		layer, next = next, layer[:0]
		result.Frontier = max(result.Frontier, int64(len(layer)))
		o.Progress.Depth.Store(int64(result.Depth))
		o.Progress.Frontier.Store(int64(len(layer)))
		for i := range layer {
			if wrong >= 0 || exhausted {
				break
			}
			if i%chunkSize == 0 {
				exhausted = ctx.Err() != nil || !v.reserve(chunkSize*256)
				o.Progress.States.Store(result.States)
				o.Progress.Transitions.Store(result.Transitions)
			}
			parent = layer[i].index
			expand(&layer[i].state)
		}
	}
	result.Elapsed = time.Since(start)
	result.Complete = wrong < 0 && !exhausted
	steps := pathTo(links, wrong)
	if result.Depth--; wrong >= 0 {
		result.Depth = len(steps)
	}
	return result, steps
}

// pathTo is the steps that lead to a state, which is not one if it is negative.
func pathTo[T any](links []link[T], state int32) []T {
	var steps []T
	for i := state; i > 0; i = links[i].from {
		steps = append(steps, links[i].step)
	}
	slices.Reverse(steps)
	return steps
}

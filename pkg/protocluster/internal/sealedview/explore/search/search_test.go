package search_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview/explore/search"
)

// jugs is the puzzle of measuring with two jugs of 3 and 5 litres. It has 16
// states; four litres take six steps.
type jugs struct {
	want int  // litres that are wrong; 0 is never
	same bool // all states have the same hash
}

type litres struct{ three, five int }

func (jugs) Initial() litres { return litres{} }

func (jugs) Expander(visit func(string, *litres)) func(*litres) {
	return func(s *litres) {
		pour := min(s.three, 5-s.five)
		back := min(s.five, 3-s.three)
		visit("fill 3", &litres{3, s.five})
		visit("fill 5", &litres{s.three, 5})
		visit("empty 3", &litres{0, s.five})
		visit("empty 5", &litres{s.three, 0})
		visit("pour 3", &litres{s.three - pour, s.five + pour})
		visit("pour 5", &litres{s.three + back, s.five - back})
	}
}

func (j jugs) Hash(s *litres, seed uint64) uint64 {
	if j.same {
		return 7
	}
	return (uint64(s.three)<<8 | uint64(s.five) + 1) * (2*seed + 0x9e3779b97f4a7c15)
}

func (j jugs) Check(s *litres) string {
	if j.want > 0 && s.five == j.want {
		return fmt.Sprintf("%d litres", s.five)
	}
	return ""
}

// grid has size × size states and one wrong one in the far corner, if any.
type grid struct {
	size  int
	wrong bool
}

type cell struct{ x, y int32 }

func (grid) Initial() cell { return cell{} }

func (g grid) Expander(visit func(byte, *cell)) func(*cell) {
	return func(s *cell) {
		if int(s.x) < g.size-1 {
			visit('x', &cell{s.x + 1, s.y})
		}
		if int(s.y) < g.size-1 {
			visit('y', &cell{s.x, s.y + 1})
		}
	}
}

func (grid) Hash(s *cell, seed uint64) uint64 {
	h := (uint64(s.x)<<32 | uint64(uint32(s.y))) + seed
	h = (h ^ h>>31) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

func (g grid) Check(s *cell) string {
	if g.wrong && int(s.x) == g.size-1 && int(s.y) == g.size-1 {
		return "corner"
	}
	return ""
}

func TestExhaust_VisitsAllStatesOnce(t *testing.T) {
	for _, workers := range []int{1, 2, 5} {
		got := search.Exhaust(t.Context(), jugs{}, search.Options{Workers: workers})
		if got.States != 16 || got.Transitions != 1+16*6 || !got.Complete || got.Wrong != "" {
			t.Errorf("jugs with %d workers: %+v, want 16 states, 97 transitions, complete", workers, got)
		}
		large := search.Exhaust(t.Context(), grid{size: 400}, search.Options{Workers: workers})
		if large.States != 400*400 || large.Depth != 2*399 || large.Frontier != 400 || !large.Complete {
			t.Errorf("grid with %d workers: %+v, want 160000 states to depth 798, 400 of one depth", workers, large)
		}
	}
}

func TestExhaust_FindsTheWrongState(t *testing.T) {
	for _, workers := range []int{1, 4} {
		got := search.Exhaust(t.Context(), grid{size: 300, wrong: true}, search.Options{Workers: workers})
		if got.Wrong != "corner" || got.State != (cell{299, 299}) || got.Complete {
			t.Errorf("grid with %d workers: %+v, want the corner", workers, got)
		}
	}
}

func TestExhaust_SaysWhenItIsNotComplete(t *testing.T) {
	full := search.Exhaust(t.Context(), grid{size: 3000}, search.Options{Workers: 2, Memory: 1 << 20})
	if full.Complete || full.Wrong != "" || full.States == 0 {
		t.Errorf("search with 1 MiB: %+v, want an incomplete one", full)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := search.Exhaust(ctx, grid{size: 100}, search.Options{}); got.Complete {
		t.Errorf("search with a context that has ended: %+v, want an incomplete one", got)
	}
	if got, _ := search.Shortest(ctx, grid{size: 100}, search.Options{}); got.Complete {
		t.Errorf("Shortest with a context that has ended: %+v, want an incomplete one", got)
	}
}

// A hash that is too coarse loses states: what Collision is about.
func TestExhaust_KnowsStatesByTheirHash(t *testing.T) {
	if got := search.Exhaust(t.Context(), jugs{same: true}, search.Options{}); got.States != 1 {
		t.Errorf("with one hash for all = %d states, want 1", got.States)
	}
	if got := search.Collision(1 << 30); got != 1.0/32 {
		t.Errorf("Collision(2³⁰) = %v, want 1/32", got)
	}
	if got := search.Exhaust(t.Context(), jugs{}, search.Options{Seed: 99}); got.States != 16 {
		t.Errorf("with another seed = %d states, want 16", got.States)
	}
}

func TestShortest_ReturnsTheSteps(t *testing.T) {
	got, steps := search.Shortest(t.Context(), jugs{want: 4}, search.Options{})
	want := []string{"fill 5", "pour 5", "empty 3", "pour 5", "fill 5", "pour 5"}
	if got.Wrong != "4 litres" || !slices.Equal(steps, want) || got.Depth != len(want) {
		t.Errorf("four litres: %q by %q at depth %d, want %q", got.Wrong, steps, got.Depth, want)
	}
	got, steps = search.Shortest(t.Context(), jugs{}, search.Options{})
	if !got.Complete || got.States != 16 || len(steps) != 0 {
		t.Errorf("no wrong state: %+v by %q, want 16 states and no steps", got, steps)
	}
	corner, way := search.Shortest(t.Context(), grid{size: 50, wrong: true}, search.Options{})
	if corner.Wrong != "corner" || len(way) != 98 {
		t.Errorf("corner of the grid: %q by %d steps, want 98", corner.Wrong, len(way))
	}
}

func TestShortest_FindsAWrongInitialState(t *testing.T) {
	got, steps := search.Shortest(t.Context(), grid{size: 1, wrong: true}, search.Options{})
	if got.Wrong != "corner" || len(steps) != 0 {
		t.Errorf("grid of one state: %q by %d steps, want the corner by none", got.Wrong, len(steps))
	}
	if got := search.Exhaust(t.Context(), grid{size: 1, wrong: true}, search.Options{}); got.Wrong != "corner" {
		t.Errorf("Exhaust of a grid of one state: %+v, want the corner", got)
	}
}

func TestWalk_FindsTheWrongStateAndTheStepsToIt(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	got, steps := search.Walk(ctx, grid{size: 4, wrong: true}, 20, search.Options{Seed: 3})
	if got.Wrong != "corner" || len(steps) != 6 {
		t.Errorf("Walk: %+v by %q, want the corner by 6 steps", got, steps)
	}
	again, same := search.Walk(ctx, grid{size: 4, wrong: true}, 20, search.Options{Seed: 3})
	if again.Transitions != got.Transitions || !slices.Equal(same, steps) {
		t.Errorf("Walk with the same seed took %d steps to %q, want %d to %q", again.Transitions, same, got.Transitions, steps)
	}
}

func BenchmarkExhaust(b *testing.B) {
	var states int64
	for b.Loop() {
		states += search.Exhaust(b.Context(), grid{size: 1000}, search.Options{Workers: 1}).States
	}
	b.ReportMetric(float64(states)/b.Elapsed().Seconds(), "states/s")
}

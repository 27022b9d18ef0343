package rendezvous_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/internal/rendezvous"
)

// Weights that are all equal change nothing, whatever they are.
func TestWeighted_EqualWeightsHaveTheOwnersOfTable(t *testing.T) {
	for _, n := range []int{1, 3, 20} {
		names := addresses(n)
		plain := rendezvous.NewTable(names)
		for _, w := range []float64{0, 1, 2.5, 1e-9, 1e30, math.NaN()} {
			weighted := rendezvous.NewWeightedTable(names, slices.Repeat([]float64{w}, n))
			for i := range 2000 {
				if got, want := weighted.Owner(user(i)), plain.Owner(user(i)); got != want {
					t.Fatalf("%d members of weight %v: Owner(%v) = %d, want %d", n, w, user(i), got, want)
				}
			}
		}
	}
	if got, want := rendezvous.NewWeightedTable(addresses(3), nil).Owner(user(1)), rendezvous.NewTable(addresses(3)).Owner(user(1)); got != want {
		t.Errorf("Owner without weights = %d, want %d", got, want)
	}
	if got := rendezvous.NewWeightedTable(nil, []float64{1, 2}).Owner(user(1)); got != -1 {
		t.Errorf("Owner of nobody = %d, want -1", got)
	}
}

// Among members of equal weight the owner is the same as without weights, also if
// the weight of another makes a difference.
func TestWeighted_AnUnequalMemberDecidesNothingAmongTheOthers(t *testing.T) {
	names := addresses(5)
	plain := rendezvous.NewTable(names[:4])
	for _, w := range []float64{1e-6, 0.5, 1.0000001, 3} {
		weighted := rendezvous.NewWeightedTable(names, []float64{1, 1, 1, 1, w})
		for i := range 5000 {
			if got, want := weighted.Owner(user(i)), plain.Owner(user(i)); got != want && got != 4 {
				t.Fatalf("with a member of weight %v: Owner(%v) = %d, want %d or 4", w, user(i), got, want)
			}
		}
	}
}

func TestWeighted_SharesAreInProportion(t *testing.T) {
	rows := [][]float64{
		{1, 2},
		{1, 2, 3, 4},
		{0, 1, 1, 2}, // 0 means 1
		{0.25, 0.5, 0.25},
		{1, 1, 1, 1, 1, 1, 1, 1, 1, 10},
		{100, 101},
	}
	for _, weights := range rows {
		t.Run(fmt.Sprint(weights), func(t *testing.T) {
			const keys = 100_000
			sum := 0.0
			for i := range weights {
				if weights[i] == 0 {
					weights[i] = 1
				}
				sum += weights[i]
			}
			table, counts := rendezvous.NewWeightedTable(addresses(len(weights)), weights), make([]int, len(weights))
			for i := range keys {
				counts[table.Owner(user(i))]++
			}
			for i, count := range counts {
				if due := keys * weights[i] / sum; math.Abs(float64(count)-due) > 0.05*due {
					t.Errorf("the member of weight %v owns %d keys, want %.0f ± 5 %%", weights[i], count, due)
				}
			}
		})
	}
}

func TestWeighted_OnlyKeysOfTheChangedMemberMove(t *testing.T) {
	names, before := addresses(6), []float64{1, 2, 0.5, 4, 1, 3}
	for changed := range names {
		for _, factor := range []float64{0.5, 1.1, 2} {
			after := slices.Clone(before)
			after[changed] *= factor
			was, is := rendezvous.NewWeightedTable(names, before), rendezvous.NewWeightedTable(names, after)
			moved, owned := 0, 0
			for i := range 5000 {
				from, to := was.Owner(user(i)), is.Owner(user(i))
				if from == changed {
					owned++
				}
				if from == to {
					continue
				}
				moved++
				if gains := factor > 1; gains && to != changed || !gains && from != changed {
					t.Fatalf("weight %v times %v of member %d: Owner(%v) went from %d to %d", before[changed], factor, changed, user(i), from, to)
				}
			}
			// The share goes from w/11.5 to fw/(11.5+(f-1)w).
			w := before[changed]
			due := 5000 * math.Abs(factor*w/(11.5+(factor-1)*w)-w/11.5)
			if math.Abs(float64(moved)-due) > 0.25*due+10 {
				t.Errorf("weight %v times %v: %d keys moved, want about %.0f", w, factor, moved, due)
			}
		}
	}
}

func TestWeighted_DoesNotDependOnTheOrderOfNames(t *testing.T) {
	names, weights := addresses(7), []float64{1, 2, 3, 1, 2, 3, 1}
	a := rendezvous.NewWeightedTable(names, weights)
	reversed := slices.Clone(names)
	slices.Reverse(reversed)
	slices.Reverse(weights)
	b := rendezvous.NewWeightedTable(reversed, weights)
	for i := range 10_000 {
		if got, want := reversed[b.Owner(user(i))], names[a.Owner(user(i))]; got != want {
			t.Fatalf("Owner(%v) = %s in the reversed table, want %s", user(i), got, want)
		}
	}
}

func TestWeighted_DoesNotAllocate(t *testing.T) {
	table, key := rendezvous.NewWeightedTable(addresses(20), []float64{2}), user(123)
	if got := testing.AllocsPerRun(1000, func() { table.Owner(key) }); got != 0 {
		t.Errorf("Owner makes %v allocations, want 0", got)
	}
}

// FuzzWeighted changes the weight of one of three members: a key stays where it
// was, or moves from or to that one.
func FuzzWeighted(f *testing.F) {
	f.Add(1.0, 2.0, 3.0, 2.0, "user", "123")
	f.Add(0.0, 1e-9, math.Inf(1), -1.0, "", "")
	f.Fuzz(func(t *testing.T, a, b, c, other float64, kind, identity string) {
		names, key := []string{"n1", "n2", "n3"}, rendezvous.Key{Kind: kind, Identity: identity}
		was := rendezvous.NewWeightedTable(names, []float64{a, b, c}).Owner(key)
		is := rendezvous.NewWeightedTable(names, []float64{a, b, other}).Owner(key)
		if was != is && was != 2 && is != 2 {
			t.Errorf("Owner(%q) went from %d to %d when the weight of 2 went from %v to %v", key, was, is, c, other)
		}
	})
}

func BenchmarkWeightedOwner(b *testing.B) {
	for _, n := range []int{3, 20, 100} {
		for name, weights := range map[string][]float64{"equal": nil, "unequal": {2, 0.5}} {
			b.Run(name+"/"+strconv.Itoa(n), func(b *testing.B) {
				table := rendezvous.NewWeightedTable(addresses(n), weights)
				keys := make([]rendezvous.Key, 1024)
				for i := range keys {
					keys[i] = user(i)
				}
				i := 0
				b.ReportAllocs()
				for b.Loop() {
					i++
					table.Owner(keys[i%len(keys)])
				}
			})
		}
	}
}

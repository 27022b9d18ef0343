package names_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/internal/names"
)

func TestRegistry(t *testing.T) {
	r := names.New[int]()
	if got := r.Get("a"); got != 0 {
		t.Errorf("Get of an empty registry = %d, want 0", got)
	}
	if !r.Add("a", 1) || r.Add("a", 2) {
		t.Error("a name was not given once")
	}
	if got := r.Get("a"); got != 1 {
		t.Errorf("Get = %d, want 1", got)
	}
	r.Remove("a")
	r.Remove("a") // does nothing
	if got := r.Get("a"); got != 0 {
		t.Errorf("Get after Remove = %d, want 0", got)
	}
	if !r.Add("a", 3) {
		t.Error("a name that was removed is not free")
	}
}

func TestRegistry_All(t *testing.T) {
	r, want := names.New[int](), make([]int, 1000)
	for i := range want {
		want[i] = i
		r.Add(fmt.Sprint(i), i)
	}
	got := slices.Sorted(r.All())
	if !slices.Equal(got, want) {
		t.Errorf("All has %d values, want %d", len(got), len(want))
	}
	seen := 0
	for i := range r.All() {
		r.Remove(fmt.Sprint(i)) // the loop may change what it walks over
		if seen++; seen == 500 {
			break
		}
	}
	if got := len(slices.Collect(r.All())); got != 500 {
		t.Errorf("%d values are left of 1000 when half of them were removed", got)
	}
}

func TestRegistry_GivesANameOnce(t *testing.T) {
	const goroutines, tries = 8, 1000
	r := names.New[int]()
	won := make([]int, goroutines)
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := range tries {
				if r.Add(fmt.Sprint(i), g+1) {
					won[g]++
				}
				if r.Get(fmt.Sprint(i)) == 0 {
					t.Error("Get finds nothing under a name that was just taken")
				}
			}
		})
	}
	wg.Wait()
	sum := 0
	for _, n := range won {
		sum += n
	}
	if sum != tries {
		t.Errorf("%d names were given, want %d", sum, tries)
	}
}

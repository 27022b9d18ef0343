package mpsc_test

import (
	"errors"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/internal/mpsc"
)

func TestQueue_KeepsTheOrderOfEachProducer(t *testing.T) {
	const producers, each = 8, 2_000
	type item struct{ from, n int }
	var q mpsc.Queue[item]
	var wg sync.WaitGroup
	for p := range producers {
		wg.Go(func() {
			for n := range each {
				if err := q.Push(item{p, n}, math.MaxInt); err != nil {
					t.Errorf("Push = %v, want nil", err)
				}
			}
		})
	}
	var next [producers]int
	var spare []item
	for total := 0; total < producers*each; {
		run := q.Swap(spare)
		for _, it := range run {
			if it.n != next[it.from] {
				t.Fatalf("producer %d: got item %d, want %d", it.from, it.n, next[it.from])
			}
			next[it.from]++
		}
		total += len(run)
		spare = run
	}
	wg.Wait()
	if !q.Empty() {
		t.Error("Empty() = false after all items were taken, want true")
	}
}

func TestQueue_Limit(t *testing.T) {
	var q mpsc.Queue[int]
	for _, step := range []struct {
		limit int
		want  error
	}{{0, mpsc.ErrFull}, {2, nil}, {2, nil}, {2, mpsc.ErrFull}, {3, nil}} {
		if err := q.Push(1, step.limit); !errors.Is(err, step.want) {
			t.Errorf("Push with a limit of %d = %v, want %v", step.limit, err, step.want)
		}
	}
	if n := len(q.Swap(nil)); n != 3 {
		t.Errorf("%d items wait, want 3", n)
	}
	if err := q.Push(1, 1); err != nil {
		t.Errorf("Push after Swap = %v, want nil", err)
	}
	q.Close()
	if err := q.Push(1, 0); !errors.Is(err, mpsc.ErrClosed) {
		t.Errorf("Push to a closed queue without room = %v, want %v", err, mpsc.ErrClosed)
	}
}

func TestQueue_CloseReturnsWhatWaitsAndRefusesTheRest(t *testing.T) {
	var q mpsc.Queue[string]
	for _, v := range []string{"a", "b"} {
		if err := q.Push(v, 2); err != nil {
			t.Fatal(err)
		}
	}
	if rest := q.Close(); len(rest) != 2 || rest[0] != "a" || rest[1] != "b" {
		t.Errorf("Close() = %v, want [a b]", rest)
	}
	if err := q.Push("c", 2); !errors.Is(err, mpsc.ErrClosed) {
		t.Errorf("Push after Close = %v, want %v", err, mpsc.ErrClosed)
	}
}

func TestQueue_ASpareIsReused(t *testing.T) {
	var q mpsc.Queue[int]
	spare := make([]int, 0, 64)
	other := make([]int, 0, 64)
	q.Swap(spare)
	allocs := testing.AllocsPerRun(100, func() {
		for i := range 64 {
			_ = q.Push(i, math.MaxInt)
		}
		other = q.Swap(other)
	})
	if allocs != 0 {
		t.Errorf("64 pushes and a swap allocate %v times, want 0", allocs)
	}
}

// What has gathered in several slabs leaves in order and is counted as a whole,
// though more comes meanwhile.
func TestQueue_GathersInSlabs(t *testing.T) {
	const limit = 5_000
	var q mpsc.Queue[int]
	var run []int
	sent, got := 0, 0
	for range 40 {
		for sent < got+limit {
			if err := q.Push(sent, limit); err != nil {
				t.Fatalf("Push while %d wait = %v, want nil", sent-got, err)
			}
			sent++
		}
		if err := q.Push(sent, limit); !errors.Is(err, mpsc.ErrFull) {
			t.Fatalf("Push while %d wait = %v, want %v", sent-got, err, mpsc.ErrFull)
		}
		run = q.Swap(run)
		for _, v := range run {
			if v != got {
				t.Fatalf("got item %d, want %d", v, got)
			}
			got++
		}
	}
	for _, v := range q.Close() {
		if v != got {
			t.Fatalf("got item %d of those left, want %d", v, got)
		}
		got++
	}
	if got != sent {
		t.Errorf("%d items came out, want %d", got, sent)
	}
}

func TestQueue_SlabsAreReused(t *testing.T) {
	const items = 10_000
	var q mpsc.Queue[int]
	var run []int
	drain := func() {
		for i := range items {
			_ = q.Push(i, math.MaxInt)
		}
		for !q.Empty() {
			run = q.Swap(run)
		}
	}
	drain()
	if allocs := testing.AllocsPerRun(10, drain); allocs > 1 {
		t.Errorf("%d pushes and their swaps allocate %v times, want none", items, allocs)
	}
}

func TestQueue_TrimsOnlyWhatIsEmpty(t *testing.T) {
	var q mpsc.Queue[int]
	_ = q.Push(1, math.MaxInt)
	if q.Trim() {
		t.Error("Trim() = true while an item waits, want false")
	}
	q.Swap(nil)
	if !q.Trim() {
		t.Error("Trim() = false for an empty queue, want true")
	}
	if err := q.Push(7, math.MaxInt); err != nil {
		t.Error(err)
	}
	if got := q.Swap(nil); len(got) != 1 || got[0] != 7 {
		t.Errorf("Swap() = %v, want [7]", got)
	}
}

func TestQueue_PushAll(t *testing.T) {
	var q mpsc.Queue[int]
	for _, step := range []struct {
		all   []int
		limit int
		want  error
	}{{[]int{1, 2}, 1, mpsc.ErrFull}, {[]int{1, 2}, 2, nil}, {[]int{3}, 2, mpsc.ErrFull}, {nil, 2, nil}, {[]int{3, 4}, 4, nil}} {
		if err := q.PushAll(step.all, step.limit); !errors.Is(err, step.want) {
			t.Errorf("PushAll(%v) with a limit of %d = %v, want %v", step.all, step.limit, err, step.want)
		}
	}
	if got, want := q.Close(), []int{1, 2, 3, 4}; !slices.Equal(got, want) {
		t.Errorf("the queue had %v, want %v", got, want)
	}
	if err := q.PushAll([]int{5}, 9); !errors.Is(err, mpsc.ErrClosed) {
		t.Errorf("PushAll after Close = %v, want %v", err, mpsc.ErrClosed)
	}
}

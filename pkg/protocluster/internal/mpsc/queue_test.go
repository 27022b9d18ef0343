package mpsc_test

import (
	"errors"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/internal/mpsc"
)

// taken handles all of a run, and returns it.
func taken[T any, X comparable](run *mpsc.Run[T, X]) (all []T) {
	for !run.Empty() {
		v, _ := run.Next()
		all = append(all, v)
		run.Done()
	}
	return all
}

// finish handles all of a run.
func finish[T any, X comparable](run *mpsc.Run[T, X]) {
	for !run.Empty() {
		run.Next()
		run.Done()
	}
}

// of is all for PushAll, and nothing with them.
func of(all []int) func(i int) (int, int) { return func(i int) (int, int) { return all[i], 0 } }

func TestQueue_KeepsTheOrderOfEachProducer(t *testing.T) {
	const producers, each = 8, 2_000
	type item struct{ from, n int }
	var q mpsc.Queue[item, int]
	var wg sync.WaitGroup
	for p := range producers {
		wg.Go(func() {
			for n := range each {
				if err := q.Push(item{p, n}, 0, math.MaxInt); err != nil {
					t.Errorf("Push = %v, want nil", err)
				}
			}
		})
	}
	var next [producers]int
	var run mpsc.Run[item, int]
	for total := 0; total < producers*each; {
		q.Swap(&run)
		for _, it := range taken(&run) {
			if it.n != next[it.from] {
				t.Fatalf("producer %d: got item %d, want %d", it.from, it.n, next[it.from])
			}
			next[it.from]++
			total++
		}
	}
	wg.Wait()
	if !q.Empty() {
		t.Error("Empty() = false after all items were taken, want true")
	}
}

func TestQueue_Limit(t *testing.T) {
	var q mpsc.Queue[int, int]
	for _, step := range []struct {
		limit int
		want  error
	}{{0, mpsc.ErrFull}, {2, nil}, {2, nil}, {2, mpsc.ErrFull}, {3, nil}} {
		if err := q.Push(1, 0, step.limit); !errors.Is(err, step.want) {
			t.Errorf("Push with a limit of %d = %v, want %v", step.limit, err, step.want)
		}
	}
	var run mpsc.Run[int, int]
	if q.Swap(&run); run.Len() != 3 {
		t.Errorf("%d items wait, want 3", run.Len())
	}
	if err := q.Push(1, 0, 1); err != nil {
		t.Errorf("Push after Swap = %v, want nil", err)
	}
	q.Close(&run)
	if err := q.Push(1, 0, 0); !errors.Is(err, mpsc.ErrClosed) {
		t.Errorf("Push to a closed queue without room = %v, want %v", err, mpsc.ErrClosed)
	}
}

func TestQueue_CloseReturnsWhatWaitsAndRefusesTheRest(t *testing.T) {
	var q mpsc.Queue[string, int]
	for _, v := range []string{"a", "b"} {
		if err := q.Push(v, 0, 2); err != nil {
			t.Fatal(err)
		}
	}
	var run mpsc.Run[string, int]
	run.Add("before", 0)
	q.Close(&run)
	if rest := taken(&run); !slices.Equal(rest, []string{"before", "a", "b"}) {
		t.Errorf("after Close the run is %v, want [before a b]", rest)
	}
	if err := q.Push("c", 0, 2); !errors.Is(err, mpsc.ErrClosed) {
		t.Errorf("Push after Close = %v, want %v", err, mpsc.ErrClosed)
	}
}

func TestQueue_ASpareIsReused(t *testing.T) {
	var q mpsc.Queue[int, int]
	var run mpsc.Run[int, int]
	round := func() {
		for i := range 64 {
			_ = q.Push(i, i%2, math.MaxInt)
		}
		q.Swap(&run)
		finish(&run)
	}
	round() // makes one slice
	round() // and the other
	allocs := testing.AllocsPerRun(100, round)
	if allocs != 0 {
		t.Errorf("64 pushes and a swap allocate %v times, want 0", allocs)
	}
}

// What has gathered in several slabs leaves in order and is counted as a whole,
// though more comes meanwhile.
func TestQueue_GathersInSlabs(t *testing.T) {
	const limit = 5_000
	var q mpsc.Queue[int, int]
	var run mpsc.Run[int, int]
	sent, got := 0, 0
	for range 40 {
		for sent < got+limit {
			if err := q.Push(sent, 0, limit); err != nil {
				t.Fatalf("Push while %d wait = %v, want nil", sent-got, err)
			}
			sent++
		}
		if err := q.Push(sent, 0, limit); !errors.Is(err, mpsc.ErrFull) {
			t.Fatalf("Push while %d wait = %v, want %v", sent-got, err, mpsc.ErrFull)
		}
		q.Swap(&run)
		for _, v := range taken(&run) {
			if v != got {
				t.Fatalf("got item %d, want %d", v, got)
			}
			got++
		}
	}
	q.Close(&run)
	for _, v := range taken(&run) {
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
	var q mpsc.Queue[int, int]
	var run mpsc.Run[int, int]
	drain := func() {
		for i := range items {
			_ = q.Push(i, 0, math.MaxInt)
		}
		for !q.Empty() {
			q.Swap(&run)
			finish(&run)
		}
	}
	drain()
	if allocs := testing.AllocsPerRun(10, drain); allocs > 1 {
		t.Errorf("%d pushes and their swaps allocate %v times, want none", items, allocs)
	}
}

func TestQueue_TrimsOnlyWhatIsEmpty(t *testing.T) {
	var (
		q   mpsc.Queue[int, int]
		run mpsc.Run[int, int]
	)
	push := func(v int) {
		t.Helper()
		if err := q.Push(v, 0, math.MaxInt); err != nil {
			t.Error(err)
		}
	}
	push(1)
	q.Trim(&run)
	q.Swap(&run)
	q.Trim(&run)
	push(2)
	got := taken(&run)
	q.Swap(&run)
	got = append(got, taken(&run)...)
	q.Trim(&run)
	if run.Roomy(0) {
		t.Error("after Trim the run keeps memory, want none")
	}
	push(3)
	q.Swap(&run)
	if got = append(got, taken(&run)...); !slices.Equal(got, []int{1, 2, 3}) {
		t.Errorf("the items were %v, want [1 2 3]", got)
	}
}

func TestQueue_PushAll(t *testing.T) {
	var q mpsc.Queue[int, int]
	for _, step := range []struct {
		all   []int
		limit int
		want  error
	}{{[]int{1, 2}, 1, mpsc.ErrFull}, {[]int{1, 2}, 2, nil}, {[]int{3}, 2, mpsc.ErrFull}, {nil, 2, nil}, {[]int{3, 4}, 4, nil}} {
		if err := q.PushAll(len(step.all), of(step.all), step.limit); !errors.Is(err, step.want) {
			t.Errorf("PushAll(%v) with a limit of %d = %v, want %v", step.all, step.limit, err, step.want)
		}
	}
	var run mpsc.Run[int, int]
	q.Close(&run)
	if got, want := taken(&run), []int{1, 2, 3, 4}; !slices.Equal(got, want) {
		t.Errorf("the queue had %v, want %v", got, want)
	}
	if err := q.PushAll(1, of([]int{5}), 9); !errors.Is(err, mpsc.ErrClosed) {
		t.Errorf("PushAll after Close = %v, want %v", err, mpsc.ErrClosed)
	}
}

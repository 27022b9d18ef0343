package dispatch

import (
	"math/rand/v2"
	"sync"
	"testing"
)

// A share does what a slice would, whatever is pushed and popped when.
func TestShare_IsAQueue(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var s share
		var want []*Job
		pushes := random.IntN(100) // in a hundred
		for range 3 * ringKept {
			if random.IntN(100) < pushes {
				j := new(Job)
				s.push(j)
				want = append(want, j)
			} else {
				j := s.pop()
				var first *Job
				if len(want) > 0 {
					first, want = want[0], want[1:]
				}
				if j != first {
					t.Fatalf("pop() = %p, want %p", j, first)
				}
			}
			if s.empty() != (len(want) == 0) {
				t.Fatalf("empty() = %v, and %d wait", s.empty(), len(want))
			}
		}
		for range want {
			s.pop()
		}
		if len(s.ring) > ringKept {
			t.Errorf("an empty share has room for %d, want at most %d", len(s.ring), ringKept)
		}
		for _, j := range s.ring {
			if j != nil {
				t.Error("an empty share keeps a job from being collected")
			}
		}
	}
}

func TestShare_TakesNothingOnceItIsClosed(t *testing.T) {
	var s share
	s.push(new(Job))
	s.close()
	s.push(new(Job))
	if j := s.pop(); j != nil || !s.empty() {
		t.Errorf("pop() = %p after close, want nothing", j)
	}
}

func TestShare_ManyAtOnce(t *testing.T) {
	const each, pushers = 2000, 4
	var s share
	var pushed, popped sync.WaitGroup
	counts := make([]map[*Job]int, 3)
	done := make(chan struct{})
	for range pushers {
		pushed.Go(func() {
			for range each {
				s.push(new(Job))
			}
		})
	}
	for i := range counts {
		counts[i] = map[*Job]int{}
		popped.Go(func() {
			for {
				if j := s.pop(); j != nil {
					counts[i][j]++
					continue
				}
				select {
				case <-done:
					if s.empty() {
						return
					}
				default:
				}
			}
		})
	}
	pushed.Wait()
	close(done)
	popped.Wait()
	all := map[*Job]int{}
	for _, c := range counts {
		for j, n := range c {
			all[j] += n
		}
	}
	for _, n := range all {
		if n != 1 {
			t.Fatalf("a job was popped %d times", n)
		}
	}
	if len(all) != each*pushers {
		t.Errorf("%d jobs were popped, want %d", len(all), each*pushers)
	}
}

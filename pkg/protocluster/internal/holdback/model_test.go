package holdback_test

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/internal/holdback"
)

// plain is what a Queue promises to one goroutine, without its shortcuts.
type plain struct {
	open         bool
	kept, sent   []int
	ready        int
	ended, again uint64
}

func (p *plain) put(step uint64, v int) {
	if step > p.ended || step == p.again {
		p.kept = append(p.kept, v)
		return
	}
	p.kept = slices.Insert(p.kept, p.ready, v)
	p.ready++
	p.release()
}

func (p *plain) end(step uint64) bool {
	p.ended, p.again, p.ready = step, 0, len(p.kept)
	return p.release()
}

func (p *plain) release() bool {
	if p.open {
		p.sent, p.kept, p.ready = append(p.sent, p.kept[:p.ready]...), slices.Clone(p.kept[p.ready:]), 0
	}
	return p.ready == 0
}

// pipe is a Keeper that admits while it is open.
type pipe struct {
	open bool
	sent []int
}

func (p *pipe) Admit() bool { return p.open }
func (p *pipe) Send(v int)  { p.sent = append(p.sent, v) }

func TestQueue_DoesWhatAPlainOneDoes(t *testing.T) {
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 1))
		var q holdback.Queue[int]
		k, want := &pipe{}, &plain{}
		step := uint64(1)
		for v := range 200 {
			switch random.IntN(8) {
			case 0, 1, 2:
				q.Put(k, step, v)
				want.put(step, v)
			case 3, 4:
				if got, want := q.End(k, step), want.end(step); got != want {
					t.Fatalf("seed %d: End(%d) = %v, want %v", seed, step, got, want)
				}
				step++
			case 5:
				if late := random.Uint64N(step); late > 0 {
					q.Put(k, late, v)
					want.put(late, v)
				}
			case 6:
				if before := random.Uint64N(step); before > 0 && random.IntN(3) == 0 {
					q.Reopen(before)
					want.again = before
				}
			case 7:
				k.open = random.IntN(3) > 0
				want.open = k.open
				q.Release(k)
				want.release()
			}
			if !slices.Equal(k.sent, want.sent) {
				t.Fatalf("seed %d: sent %v, want %v", seed, k.sent, want.sent)
			}
		}
		q.Close(k)
		if want.open {
			want.sent = append(want.sent, want.kept...)
		}
		if !slices.Equal(k.sent, want.sent) {
			t.Fatalf("seed %d: sent %v in all, want %v", seed, k.sent, want.sent)
		}
	}
}

// steps is a Keeper that finds out what leaves twice, or before its step ends.
type steps struct {
	open    atomic.Bool
	current atomic.Uint64 // the step under way
	ending  atomic.Uint64 // all up to this one have ended or are just ending

	mu    sync.Mutex
	sent  map[part]int
	early int
}

type part struct {
	from int
	step uint64
	n    int
}

func (s *steps) Admit() bool { return s.open.Load() }

func (s *steps) Send(p part) {
	early := p.step > s.ending.Load()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent[p]++
	if early {
		s.early++
	}
}

// What other goroutines put while the step ends that it belongs to leaves once,
// and not before.
func TestQueue_RacesWithTheEndOfTheStep(t *testing.T) {
	const putters, each, rounds = 3, 300, 10
	for range rounds {
		var q holdback.Queue[part]
		s := &steps{sent: make(map[part]int)}
		s.current.Store(1)
		var puts sync.WaitGroup
		for from := range putters {
			puts.Go(func() {
				for n := range each {
					p := part{from, s.current.Load(), n}
					q.Put(s, p.step, p)
					runtime.Gosched()
				}
			})
		}
		for step := uint64(1); step <= each; step++ {
			s.current.Store(step)
			q.Put(s, step, part{putters, step, 0})
			s.open.Store(step%4 != 0)
			s.ending.Store(step)
			if !q.End(s, step) {
				s.open.Store(true)
				q.Release(s)
			}
			runtime.Gosched()
		}
		puts.Wait()
		s.open.Store(true)
		q.Close(s)
		if s.early > 0 {
			t.Errorf("%d left before their step had ended", s.early)
		}
		for p, n := range s.sent {
			if n != 1 {
				t.Errorf("%v left %d times, want once", p, n)
			}
		}
		if n := len(s.sent); n != (putters+1)*each {
			t.Errorf("%d left, want %d", n, (putters+1)*each)
		}
	}
}

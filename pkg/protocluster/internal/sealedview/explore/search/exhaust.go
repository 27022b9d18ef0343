package search

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// batch is how many successors a worker gathers before it looks them up.
const batch = 512

// search is what the workers of Exhaust share.
type search[S comparable, T any] struct {
	sys     System[S, T]
	options Options
	visited *visited
	pool    pool[S]

	current *layer[S]
	full    atomic.Bool
	stopped atomic.Bool

	mu    sync.Mutex
	next  []*chunk[S] // guarded by mu
	wrong string      // guarded by mu
	state S           // guarded by mu
}

// Exhaust visits all states of sys, unless one is wrong: then those of that
// depth need not all have been visited.
func Exhaust[S comparable, T any](ctx context.Context, sys System[S, T], options Options) Result[S] {
	o := options.withDefaults()
	// Three quarters for the table, the rest for the states of two depths.
	s := &search[S, T]{sys: sys, options: o, visited: newVisited(o.Memory / 4 * 3)}
	start := time.Now()
	s.stopped.Store(ctx.Err() != nil) // which AfterFunc says only later
	stop := context.AfterFunc(ctx, func() { s.stopped.Store(true) })
	defer stop()

	workers := make([]*worker[S, T], o.Workers)
	for i := range workers {
		workers[i] = newWorker(s)
	}
	workers[0].reach(sys.Initial())
	result := Result[S]{Depth: -1}
	for len(s.next) > 0 {
		s.current, s.next = &layer[S]{chunks: s.next}, nil
		result.Depth++
		frontier := s.current.len()
		result.Frontier = max(result.Frontier, frontier)
		o.Progress.Depth.Store(int64(result.Depth))
		o.Progress.Frontier.Store(frontier)
		if s.wrong != "" || s.full.Load() || s.stopped.Load() {
			break
		}
		s.deepen(workers)
	}
	result.Elapsed = time.Since(start)
	result.States = s.visited.count.Load()
	for _, w := range workers {
		result.Transitions += w.transitions
	}
	result.Wrong, result.State = s.wrong, s.state
	result.Complete = result.Wrong == "" && !s.full.Load() && !s.stopped.Load()
	return result
}

// deepen has the workers expand the current layer into the next.
func (s *search[S, T]) deepen(workers []*worker[S, T]) {
	n := min(len(workers), len(s.current.chunks))
	var group sync.WaitGroup
	for _, w := range workers[1:max(n, 1)] {
		group.Go(w.run)
	}
	workers[0].run()
	group.Wait()
}

// roomy reports whether another chunk of states would still fit in the memory.
func (s *search[S, T]) roomy() bool {
	size := int64(unsafe.Sizeof(chunk[S]{}))
	return s.pool.chunks()*size < s.options.Memory/4
}

// worker expands chunks of states.
type worker[S comparable, T any] struct {
	s           *search[S, T]
	expand      func(*S)
	states      []S // successors to be looked up
	hashes      []uint64
	transitions int64
	out         *chunk[S]
	sink        uint64
}

func newWorker[S comparable, T any](s *search[S, T]) *worker[S, T] {
	w := &worker[S, T]{s: s, states: make([]S, 0, batch), hashes: make([]uint64, 0, batch)}
	w.expand = s.sys.Expander(func(_ T, state *S) {
		w.states = append(w.states, *state)
		w.hashes = append(w.hashes, s.sys.Hash(state, s.options.Seed))
	})
	return w
}

// run takes chunks until there are no more.
func (w *worker[S, T]) run() {
	for !w.s.stopped.Load() && !w.s.full.Load() {
		c := w.s.current.take()
		if c == nil {
			break
		}
		for i := range c.states[:c.n] {
			w.expand(&c.states[i])
			if len(w.states) >= batch/2 {
				w.flush()
			}
		}
		w.flush()
		w.s.pool.put(c)
	}
	w.hand()
}

// reach begins with the first state.
func (w *worker[S, T]) reach(first S) {
	w.states = append(w.states, first)
	w.hashes = append(w.hashes, w.s.sys.Hash(&first, w.s.options.Seed))
	w.flush()
	w.hand()
}

// flush looks up what was gathered and keeps what is new.
func (w *worker[S, T]) flush() {
	v, p := w.s.visited, w.s.options.Progress
	if !v.reserve(int64(len(w.hashes) * w.s.options.Workers)) {
		w.s.full.Store(true)
		w.states, w.hashes = w.states[:0], w.hashes[:0]
		return
	}
	v.mu.RLock()
	for _, h := range w.hashes {
		w.sink ^= v.touch(h)
	}
	var added int64
	for i, h := range w.hashes {
		if v.add(h) {
			added++
			w.keep(&w.states[i])
		}
	}
	v.count.Add(added)
	v.mu.RUnlock()
	p.States.Add(added)
	p.Transitions.Add(int64(len(w.hashes)))
	w.transitions += int64(len(w.hashes))
	w.states, w.hashes = w.states[:0], w.hashes[:0]
}

// keep puts a new state into the next layer.
func (w *worker[S, T]) keep(state *S) {
	if wrong := w.s.sys.Check(state); wrong != "" {
		w.s.mu.Lock()
		if w.s.wrong == "" {
			w.s.wrong, w.s.state = wrong, *state
		}
		w.s.mu.Unlock()
		w.s.stopped.Store(true)
	}
	if w.out == nil || w.out.n == chunkSize {
		w.hand()
		if !w.s.roomy() {
			w.s.full.Store(true)
		}
		w.out = w.s.pool.get()
	}
	w.out.states[w.out.n] = *state
	w.out.n++
}

// hand adds the chunk being filled to the next layer.
func (w *worker[S, T]) hand() {
	if w.out == nil {
		return
	}
	w.s.mu.Lock()
	w.s.next = append(w.s.next, w.out)
	w.s.mu.Unlock()
	w.out = nil
}

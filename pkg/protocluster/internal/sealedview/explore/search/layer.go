package search

import (
	"sync"
	"sync/atomic"
)

// chunkSize is how many states a worker takes at a time.
const chunkSize = 1024

type chunk[S any] struct {
	n      int
	states [chunkSize]S
}

// layer is the states of one depth.
type layer[S any] struct {
	chunks []*chunk[S]
	taken  atomic.Int64
}

// take returns a chunk that no other worker gets, or nil.
func (l *layer[S]) take() *chunk[S] {
	i := int(l.taken.Add(1)) - 1
	if i >= len(l.chunks) {
		return nil
	}
	c := l.chunks[i]
	l.chunks[i] = nil
	return c
}

func (l *layer[S]) len() int64 {
	var n int64
	for _, c := range l.chunks {
		n += int64(c.n)
	}
	return n
}

// pool keeps chunks for reuse and counts those that are in use.
type pool[S any] struct {
	mu   sync.Mutex
	free []*chunk[S] // guarded by mu
	made int64       // guarded by mu
}

func (p *pool[S]) get() *chunk[S] {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.free); n > 0 {
		c := p.free[n-1]
		p.free = p.free[:n-1]
		c.n = 0
		return c
	}
	p.made++
	return new(chunk[S])
}

func (p *pool[S]) put(c *chunk[S]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, c)
}

func (p *pool[S]) chunks() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.made
}

package dispatch

import (
	"sync"
	"sync/atomic"
)

// share is the part of a run queue that is filled on one processor, first in, first
// out. Its methods may be called concurrently.
type share struct {
	size atomic.Int64 // changes with mu held

	mu     sync.Mutex
	ring   []*Job // its length is a power of two
	first  int    // the oldest's place
	closed bool
	_      [64]byte // what is on other processors is not on this line
}

const (
	ringMin  = 64
	ringKept = 1024 // the most that an empty share keeps
)

func (s *share) empty() bool { return s.size.Load() == 0 }

// push appends j, unless the share is closed.
func (s *share) push(j *Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	n := int(s.size.Load())
	if n == len(s.ring) {
		s.grow()
	}
	s.ring[(s.first+n)&(len(s.ring)-1)] = j
	s.size.Store(int64(n + 1))
}

// grow makes room; s.mu is held.
func (s *share) grow() {
	ring := make([]*Job, max(ringMin, 2*len(s.ring)))
	copy(ring[copy(ring, s.ring[s.first:]):], s.ring[:s.first])
	s.ring, s.first = ring, 0
}

// pop takes the oldest, nil if there is none.
func (s *share) pop() (j *Job) {
	if s.empty() {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.size.Load() - 1
	if n < 0 {
		return nil
	}
	j, s.ring[s.first] = s.ring[s.first], nil
	s.first = (s.first + 1) & (len(s.ring) - 1)
	s.size.Store(n)
	if n == 0 && len(s.ring) > ringKept {
		s.ring, s.first = nil, 0
	}
	return j
}

// close drops what waits, and all that comes later.
func (s *share) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed, s.ring, s.first = true, nil, 0
	s.size.Store(0)
}

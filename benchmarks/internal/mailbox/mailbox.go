// Package mailbox is a queue of many producers and one consumer: a mutex around
// a slice that the consumer swaps out whole, one lock for a run of messages.
package mailbox

import "sync"

// Mailbox is a queue. Put and Close may be called concurrently.
type Mailbox[T any] struct {
	limit int

	mu     sync.Mutex
	queue  []T
	waits  bool // the consumer, for filled
	full   int  // producers that wait for room
	closed bool
	filled sync.Cond
	room   sync.Cond
}

// New returns a mailbox in which at most limit messages wait; 0 means any
// number.
func New[T any](limit int) *Mailbox[T] {
	m := &Mailbox[T]{limit: limit}
	m.filled.L, m.room.L = &m.mu, &m.mu
	return m
}

// Put adds a message. It waits while there is no room; after Close it does
// nothing.
func (m *Mailbox[T]) Put(message T) {
	m.mu.Lock()
	for m.limit > 0 && len(m.queue) >= m.limit && !m.closed {
		m.full++
		m.room.Wait()
	}
	m.queue = append(m.queue, message)
	waits := m.waits
	m.waits = false
	m.mu.Unlock()
	if waits {
		m.filled.Signal()
	}
}

// Swap takes all that is there in exchange for an empty slice, and waits until
// there is something. Nothing means that the mailbox is closed.
func (m *Mailbox[T]) Swap(empty []T) []T {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.queue) == 0 && !m.closed {
		m.waits = true
		m.filled.Wait()
	}
	run := m.queue
	m.queue = empty
	if m.full > 0 {
		m.full = 0
		m.room.Broadcast()
	}
	return run
}

// Close has Swap return what is left, and then nothing.
func (m *Mailbox[T]) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	m.filled.Signal()
	m.room.Broadcast()
}

package local

import (
	"context"
	"sync"

	"github.com/protocluster/workshop/benchmarks/internal/tally"
)

// mailbox is a mutex around a slice that the consumer swaps out whole: one lock
// for a run of messages.
type mailbox struct {
	mu     sync.Mutex
	queue  []*tally.Tick
	waits  bool // for filled
	closed bool
	filled sync.Cond
}

func newMailbox() *mailbox {
	b := &mailbox{}
	b.filled.L = &b.mu
	return b
}

func (b *mailbox) put(m *tally.Tick) {
	b.mu.Lock()
	b.queue = append(b.queue, m)
	waits := b.waits
	b.waits = false
	b.mu.Unlock()
	if waits {
		b.filled.Signal()
	}
}

// swap takes all that is there in exchange for an empty slice, and waits until
// there is something; nothing means that the mailbox is closed.
func (b *mailbox) swap(empty []*tally.Tick) []*tally.Tick {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.queue) == 0 && !b.closed {
		b.waits = true
		b.filled.Wait()
	}
	run := b.queue
	b.queue = empty
	return run
}

func (b *mailbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.filled.Signal()
}

// mailboxes is a goroutine and a mailbox for each actor.
type mailboxes struct {
	boxes  []*mailbox
	actors sync.WaitGroup
}

func newMailboxes() *mailboxes { return &mailboxes{} }

func (b *mailboxes) count(counters []*tally.Counter, done func()) {
	for _, counter := range counters {
		box := newMailbox()
		b.boxes = append(b.boxes, box)
		b.actors.Go(func() {
			var run []*tally.Tick
			for {
				if run = box.swap(run[:0]); len(run) == 0 {
					return
				}
				for _, m := range run {
					if counter.Take(m) {
						done()
					}
				}
			}
		})
	}
}

func (b *mailboxes) send(first, last int, ticks []tally.Tick) {
	inTurn(b.boxes[first:last], ticks, func(to *mailbox, m *tally.Tick) { to.put(m) })
}

func (b *mailboxes) close(context.Context) error {
	for _, box := range b.boxes {
		box.close()
	}
	b.actors.Wait()
	return nil
}

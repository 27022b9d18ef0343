package local

import (
	"context"
	"sync"

	"github.com/protocluster/workshop/benchmarks/internal/mailbox"
	"github.com/protocluster/workshop/benchmarks/internal/tally"
)

// mailboxes is a goroutine and a mailbox for each actor.
type mailboxes struct {
	boxes  []*box
	actors sync.WaitGroup
}

type box = mailbox.Mailbox[*tally.Tick]

func newMailboxes() *mailboxes { return &mailboxes{} }

func (b *mailboxes) count(counters []*tally.Counter, done func()) {
	for _, counter := range counters {
		inbox := mailbox.New[*tally.Tick](0)
		b.boxes = append(b.boxes, inbox)
		b.actors.Go(func() {
			var run []*tally.Tick
			for {
				if run = inbox.Swap(run[:0]); len(run) == 0 {
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
	inTurn(b.boxes[first:last], ticks, func(to *box, m *tally.Tick) { to.Put(m) })
}

func (b *mailboxes) close(context.Context) error {
	for _, inbox := range b.boxes {
		inbox.Close()
	}
	b.actors.Wait()
	return nil
}

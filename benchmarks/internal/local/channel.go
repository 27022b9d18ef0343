package local

import (
	"context"
	"sync"

	"github.com/protocluster/workshop/benchmarks/internal/tally"
)

// channels is a goroutine and a buffered channel for each actor.
type channels struct {
	inboxes []chan *tally.Tick
	actors  sync.WaitGroup
}

func newChannels() *channels { return &channels{} }

func (c *channels) count(counters []*tally.Counter, done func()) {
	for _, counter := range counters {
		inbox := make(chan *tally.Tick, 1024)
		c.inboxes = append(c.inboxes, inbox)
		c.actors.Go(func() {
			for m := range inbox {
				if counter.Take(m) {
					done()
				}
			}
		})
	}
}

func (c *channels) send(first, last int, ticks []tally.Tick) {
	inTurn(c.inboxes[first:last], ticks, func(to chan *tally.Tick, m *tally.Tick) { to <- m })
}

// idle makes unbuffered channels, which are the smallest.
func (c *channels) idle(n int, started func()) {
	for range n {
		inbox := make(chan *tally.Tick)
		c.inboxes = append(c.inboxes, inbox)
		c.actors.Go(func() {
			started()
			<-inbox
		})
	}
}

func (c *channels) close(context.Context) error {
	for _, inbox := range c.inboxes {
		close(inbox)
	}
	c.actors.Wait()
	return nil
}

// askedChannels is channels whose actors reply on the caller's channel.
type askedChannels struct {
	inboxes []chan question
	replies []chan *tally.Tick // one a caller
	actors  sync.WaitGroup
}

type question struct {
	m     *tally.Tick
	reply chan<- *tally.Tick
}

func newAskedChannels(callers int) *askedChannels {
	a := &askedChannels{replies: make([]chan *tally.Tick, callers)}
	for i := range a.replies {
		a.replies[i] = make(chan *tally.Tick, 1)
	}
	return a
}

func (a *askedChannels) echo(n int) {
	for range n {
		inbox := make(chan question, 1024)
		a.inboxes = append(a.inboxes, inbox)
		a.actors.Go(func() {
			for q := range inbox {
				q.reply <- q.m
			}
		})
	}
}

func (a *askedChannels) ask(_ context.Context, caller, to int, m *tally.Tick) (any, error) {
	a.inboxes[to] <- question{m, a.replies[caller]}
	return <-a.replies[caller], nil
}

func (a *askedChannels) close(context.Context) error {
	for _, inbox := range a.inboxes {
		close(inbox)
	}
	a.actors.Wait()
	return nil
}

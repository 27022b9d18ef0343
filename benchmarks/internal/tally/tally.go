// Package tally counts messages that are lost or come in another order than
// they were sent in.
package tally

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Tick is a message that a Counter takes: the number counts from 0 what one
// sender sends to one receiver.
type Tick struct {
	From   uint32
	Number uint32
}

// Ticks returns n messages for each of a number of senders, each of whom sends
// to that many receivers in turn, beginning with the first.
func Ticks(senders, receivers, n int) [][]Tick {
	all := make([][]Tick, senders)
	for from := range all {
		all[from] = make([]Tick, n)
		for i := range all[from] {
			all[from][i] = Tick{From: uint32(from), Number: uint32(i / receivers)}
		}
	}
	return all
}

// Counter is what one receiver got. Its methods are for one goroutine at a time.
type Counter struct {
	want      int
	got       int
	misplaced int
	next      []uint32 // number, by sender
}

// NewCounter returns the Counter of a receiver that shall get want messages, in
// all, of that many senders.
func NewCounter(senders, want int) *Counter {
	return &Counter{want: want, next: make([]uint32, senders)}
}

// Take counts a message, and reports whether it was the last.
func (c *Counter) Take(t *Tick) (last bool) { return c.Count(t.From, t.Number) }

// Count is Take for a message of other form.
func (c *Counter) Count(from, number uint32) (last bool) {
	if number != c.next[from] {
		c.misplaced++
	}
	c.next[from] = number + 1
	c.got++
	return c.got == c.want
}

// Got is how many messages were counted.
func (c *Counter) Got() int { return c.got }

// Misplaced is how many of them did not follow the one sent before.
func (c *Counter) Misplaced() int { return c.misplaced }

// Err says what was lost or reordered, or nil.
func (c *Counter) Err() error {
	if c.got == c.want && c.misplaced == 0 {
		return nil
	}
	return &LossError{Want: c.want, Got: c.got, Misplaced: c.misplaced}
}

// LossError says that not all messages came, or not in order.
type LossError struct {
	Want, Got int
	Misplaced int // messages that did not follow the one sent before
}

func (e *LossError) Error() string {
	return fmt.Sprintf("tally: of %d messages %d came, %d of them not after the one sent before", e.Want, e.Got, e.Misplaced)
}

// Check joins what the counters say.
func Check(counters []*Counter) error {
	var total LossError
	ok := true
	for _, c := range counters {
		total.Want += c.want
		total.Got += c.got
		total.Misplaced += c.misplaced
		ok = ok && c.Err() == nil
	}
	if ok {
		return nil
	}
	return &total
}

// Await waits until all of a group are done, or ctx ends.
func Await(ctx context.Context, wg *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() {
		wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return errors.Join(errors.New("tally: messages are missing"), context.Cause(ctx))
	}
}

package dashboard

import (
	"fmt"
	"slices"
	"time"
)

// mostEvents is how many events are kept.
const mostEvents = 200

// Weights of events.
const (
	plain = "plain"
	good  = "good"
	bad   = "bad"
	worst = "worst" // what must never happen
)

// event is something that happened in the cluster.
type event struct {
	ID     uint64    `json:"id"`
	At     time.Time `json:"at"`
	Weight string    `json:"weight"`
	Text   string    `json:"text"`
	Member string    `json:"member,omitempty"` // the address of the member that it is about
	Epoch  uint64    `json:"epoch,omitempty,string"`
}

// timeline is the events so far, the oldest first. What was taken of it is never
// modified.
type timeline struct {
	events []event
	last   uint64
}

func (t *timeline) add(e event, format string, args ...any) {
	t.last++
	e.ID, e.Text = t.last, fmt.Sprintf(format, args...)
	if e.At.IsZero() {
		e.At = time.Now()
	}
	if e.Weight == "" {
		e.Weight = plain
	}
	kept := t.events[max(0, len(t.events)+1-mostEvents):]
	t.events = append(slices.Clip(kept), e)
}

// after returns the events that came after the one of that id.
func after(events []event, id uint64) []event {
	for i, e := range events {
		if e.ID > id {
			return events[i:]
		}
	}
	return nil
}

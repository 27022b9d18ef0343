package tally_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/protocluster/workshop/benchmarks/internal/tally"
)

func TestCounter(t *testing.T) {
	rows := []struct {
		name string
		take []tally.Tick
		want string
	}{
		{"all in order", []tally.Tick{{0, 0}, {1, 0}, {1, 1}, {0, 1}}, ""},
		{"one lost", []tally.Tick{{0, 0}, {1, 0}, {0, 1}}, "tally: of 4 messages 3 came, 0 of them not after the one sent before"},
		{"one lost in the middle", []tally.Tick{{0, 1}, {1, 0}, {1, 1}}, "tally: of 4 messages 3 came, 1 of them not after the one sent before"},
		{"two swapped", []tally.Tick{{0, 1}, {0, 0}, {1, 0}, {1, 1}}, "tally: of 4 messages 4 came, 2 of them not after the one sent before"},
		{"one twice", []tally.Tick{{0, 0}, {0, 0}, {0, 1}, {1, 0}}, "tally: of 4 messages 4 came, 1 of them not after the one sent before"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			c := tally.NewCounter(2, 4)
			last := 0
			for _, m := range row.take {
				if c.Take(&m) {
					last++
				}
			}
			if want := len(row.take) / 4; last != want {
				t.Errorf("%d messages were the last, want %d", last, want)
			}
			got := ""
			if err := tally.Check([]*tally.Counter{c}); err != nil {
				got = err.Error()
			}
			if got != row.want {
				t.Errorf("error = %q, want %q", got, row.want)
			}
		})
	}
}

func TestTicks(t *testing.T) {
	got := tally.Ticks(2, 2, 4)
	if want := []tally.Tick{{1, 0}, {1, 0}, {1, 1}, {1, 1}}; len(got) != 2 || !slices.Equal(got[1], want) {
		t.Errorf("ticks = %v, want of each of 2 senders %v", got, want)
	}
}

func TestAwait(t *testing.T) {
	var group sync.WaitGroup
	group.Add(1)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tally.Await(ended, &group); !errors.Is(err, context.Canceled) {
		t.Errorf("Await = %v, want %v", err, context.Canceled)
	}
	group.Done()
	if err := tally.Await(t.Context(), &group); err != nil {
		t.Errorf("Await = %v, want none", err)
	}
}

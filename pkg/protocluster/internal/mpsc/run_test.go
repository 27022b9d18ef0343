package mpsc_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/internal/mpsc"
)

type pair struct{ item, with int }

// What came with an item leaves with it and with no other, whichever way both go: one by
// one or in runs, over one slab or many, put back in front, or when the queue is closed.
func TestRun_WhatCameWithAnItemStaysWithIt(t *testing.T) {
	dice := rand.New(rand.NewPCG(7, 11))
	for range 200 {
		var (
			q         mpsc.Queue[int, int]
			run       mpsc.Run[int, int]
			sent, got []pair
		)
		fresh := func(int) (item, with int) {
			p := pair{item: len(sent) + 1}
			if dice.IntN(3) == 0 {
				p.with = -p.item
			}
			sent = append(sent, p)
			return p.item, p.with
		}
		handle := func() {
			for limit := dice.IntN(400); !run.Empty() && limit > 0; limit-- {
				item, with := run.Next()
				if i, w := run.Last(); i != item || w != with {
					t.Fatalf("Last = %d, %d, want %d, %d", i, w, item, with)
				}
				got = append(got, pair{item, with})
				run.Done()
				if i, w := run.Last(); i != 0 || w != 0 {
					t.Fatalf("Last of what is done = %d, %d, want 0, 0", i, w)
				}
			}
		}
		for range dice.IntN(40) {
			switch dice.IntN(4) {
			case 0:
				for range dice.IntN(700) {
					item, with := fresh(0)
					_ = q.Push(item, with, math.MaxInt)
				}
			case 1:
				_ = q.PushAll(dice.IntN(700), fresh, math.MaxInt)
			case 2:
				if run.Empty() {
					q.Swap(&run)
				}
				handle()
			case 3: // the last that were handled are put back
				var first mpsc.Run[int, int]
				n := min(dice.IntN(5), len(got))
				for _, p := range got[len(got)-n:] {
					first.Add(p.item, p.with)
				}
				got = got[:len(got)-n]
				if run.PutBack(first); run.Len() < n {
					t.Fatalf("%d items are left, want those %d that were put back", run.Len(), n)
				}
			}
		}
		q.Close(&run)
		if want := len(sent) - len(got); run.Len() != want {
			t.Fatalf("%d items are left, want %d", run.Len(), want)
		}
		for !run.Empty() {
			handle()
		}
		if !slices.Equal(got, sent) {
			t.Fatalf("%d items came out otherwise than the %d that went in", len(got), len(sent))
		}
	}
}

func TestRun_PutBackKeepsWhatWasBegun(t *testing.T) {
	var run, first mpsc.Run[int, int]
	for item := 1; item <= 3; item++ {
		run.Add(item, -item)
		first.Add(10*item, 0)
	}
	run.Next()
	first.Next()
	run.PutBack(first)
	if item, with := run.Last(); item != 1 || with != -1 {
		t.Errorf("Last = %d, %d, want 1, -1", item, with)
	}
	run.Done()
	var got []pair
	for !run.Empty() {
		item, with := run.Next()
		got = append(got, pair{item, with})
	}
	if want := []pair{{20, 0}, {30, 0}, {2, -2}, {3, -3}}; !slices.Equal(got, want) {
		t.Errorf("after PutBack come %v, want %v", got, want)
	}
}

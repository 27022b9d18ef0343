package link

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// book is where ways are looked up, and by whom recently.
type book struct {
	*recent

	ways    map[string]way
	lookUps int
}

func (b *book) find(address string) way {
	return b.recent.find(address, func(address string) way {
		b.lookUps++
		return b.ways[address]
	})
}

// addresses returns n that all have one place, or each its own.
func (b *book) addresses(n int, onePlace bool) []string {
	var all []string
	for port := 8000; len(all) < n; port++ {
		address := fmt.Sprint("10.0.0.1:", port)
		same := func(other string) bool { return b.place(address) == b.place(other) }
		if all == nil || onePlace == slices.ContainsFunc(all, same) {
			all = append(all, address)
		}
	}
	return all
}

func TestRecent_LooksUpOnceUntilAChange(t *testing.T) {
	one, other := way{link: new(Link)}, way{accepted: new(session)}
	b := &book{recent: newRecent(), ways: make(map[string]way)}
	addresses := b.addresses(2, false)
	near, far := addresses[0], addresses[1]
	b.ways[near] = one
	check := func(what, address string, want way, lookUps int) {
		t.Helper()
		if got := b.find(address); got != want || b.lookUps != lookUps {
			t.Errorf("%s: %v after %d look-ups, want %v after %d", what, got, b.lookUps, want, lookUps)
		}
	}
	check("the first time", near, one, 1)
	check("the second time", near, one, 1)
	check("what there is not", far, way{}, 2)
	check("still not", far, way{}, 2)
	b.ways[far] = other
	b.changed()
	check("after a change", far, other, 3)
	check("the other after a change", near, one, 4)
	check("all is known again", far, other, 4)
}

// Addresses that would take each other's place are told apart, and the first keeps it.
func TestRecent_TellsAddressesOfOnePlaceApart(t *testing.T) {
	b := &book{recent: newRecent(), ways: make(map[string]way)}
	rivals := b.addresses(3, true)
	for _, address := range rivals {
		b.ways[address] = way{link: new(Link)}
	}
	for range 2 {
		for _, address := range rivals {
			if got := b.find(address); got != b.ways[address] {
				t.Errorf("the way to %s is another's", address)
			}
		}
	}
	if b.lookUps != 5 {
		t.Errorf("%d look-ups, want 5: one of the first, two of each other", b.lookUps)
	}
}

// Once a change is done, nobody gets what was before.
func TestRecent_Race(t *testing.T) {
	r := newRecent()
	var mu sync.Mutex
	links := make([]Link, 200)
	now := &links[0]
	lookUp := func(string) way {
		mu.Lock()
		defer mu.Unlock()
		return way{link: now}
	}
	var done atomic.Int64 // changes
	number := make(map[*Link]int64)
	for i := range links {
		number[&links[i]] = int64(i)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for done.Load() < int64(len(links)-1) {
				least := done.Load()
				if got := number[r.find("10.0.0.1:8090", lookUp).link]; got < least {
					t.Errorf("the way is that of change %d after change %d", got, least)
					return
				}
			}
		})
	}
	for i := range links[1:] {
		mu.Lock()
		now = &links[i+1]
		r.changed()
		mu.Unlock()
		done.Store(int64(i + 1))
	}
	all.Wait()
}

package mailbox_test

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/protocluster/workshop/benchmarks/internal/mailbox"
)

func TestMailbox_SwapsWholeRuns(t *testing.T) {
	m := mailbox.New[int](0)
	for i := range 3 {
		m.Put(i)
	}
	if got := m.Swap(nil); !slices.Equal(got, []int{0, 1, 2}) {
		t.Errorf("Swap = %v, want all three in order", got)
	}
	m.Put(3)
	m.Close()
	if got := m.Swap(nil); !slices.Equal(got, []int{3}) {
		t.Errorf("Swap after Close = %v, want what was left", got)
	}
	if got := m.Swap(nil); len(got) != 0 {
		t.Errorf("Swap of an empty closed mailbox = %v, want nothing", got)
	}
}

func TestMailbox_ConsumerWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mailbox.New[int](0)
		got := make(chan []int, 1)
		go func() { got <- m.Swap(nil) }()
		synctest.Wait()
		m.Put(7)
		if run := <-got; !slices.Equal(run, []int{7}) {
			t.Errorf("Swap = %v, want 7", run)
		}
	})
}

func TestMailbox_ProducerWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mailbox.New[int](2)
		sent := 0
		go func() {
			for sent < 5 {
				m.Put(sent)
				sent++
			}
		}()
		synctest.Wait()
		if sent != 2 {
			t.Errorf("%d messages were put where there is room for 2", sent)
		}
		var got []int
		for len(got) < 5 {
			got = append(got, m.Swap(nil)...)
		}
		if !slices.Equal(got, []int{0, 1, 2, 3, 4}) {
			t.Errorf("got %v, want all five in order", got)
		}
	})
}

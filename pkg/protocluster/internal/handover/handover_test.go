package handover_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/background"
	"github.com/protocluster/workshop/pkg/protocluster/internal/handover"
	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
	"github.com/protocluster/workshop/pkg/protocluster/internal/seat"
)

// count counts by name, concurrently.
type count struct{ sync.Map }

func (c *count) add(name string) {
	n, _ := c.LoadOrStore(name, new(atomic.Int64))
	n.(*atomic.Int64).Add(1)
}

func (c *count) of(name string) int64 {
	n, _ := c.LoadOrStore(name, new(atomic.Int64))
	return n.(*atomic.Int64).Load()
}

// desk is one whose members answer after a second, if their name is not "deaf".
func desk(t *testing.T, asked *count) *handover.Desk[string] {
	t.Helper()
	tasks := background.NewTasks(t.Context())
	t.Cleanup(func() {
		if err := tasks.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("Stop: %v", err)
		}
	})
	return handover.New(tasks, func(ctx context.Context, _, member string, _ sealedview.Stamp) bool {
		asked.add(member)
		select {
		case <-time.After(time.Second):
			return member != "deaf"
		case <-ctx.Done():
			return false
		}
	})
}

func claimed(epoch uint64, owing ...string) seat.Claimed {
	return seat.Claimed{Stamp: sealedview.Stamp{Epoch: epoch, Seal: "seal"}, Owing: owing, Changed: make(chan struct{})}
}

func TestWait_AsksEachOwingMemberOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := new(count)
		w := desk(t, asked).Expect("user/1")
		defer w.Close()
		for len(w.Said()) < 2 {
			if err := w.For(t.Context(), claimed(7, "a", "b")); err != nil {
				t.Fatal(err)
			}
		}
		want := sealedview.Stamp{Epoch: 7, Seal: "seal"}
		for _, answer := range w.Said() {
			if answer.View != want || answer.Member != "a" && answer.Member != "b" {
				t.Errorf("answer %+v, want one of a and b in epoch 7", answer)
			}
		}
		if asked.of("a") != 1 || asked.of("b") != 1 {
			t.Errorf("asked a %d and b %d times, want each once", asked.of("a"), asked.of("b"))
		}
	})
}

func TestWait_AnotherViewAsksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := new(count)
		w := desk(t, asked).Expect("user/1")
		defer w.Close()
		for _, epoch := range []uint64{1, 2} {
			for len(w.Said()) == 0 || w.Said()[0].View.Epoch != epoch {
				if err := w.For(t.Context(), claimed(epoch, "a")); err != nil {
					t.Fatal(err)
				}
			}
		}
		if len(w.Said()) != 1 || asked.of("a") != 2 {
			t.Errorf("said %+v, asked %d times; want the answer of the newer view alone", w.Said(), asked.of("a"))
		}
	})
}

func TestWait_EndsByChangeTimeAndContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := desk(t, new(count))
		w := d.Expect("user/1")
		defer w.Close()
		changed := make(chan struct{})
		close(changed)
		c := claimed(1, "deaf")
		c.Changed = changed
		if err := w.For(t.Context(), c); err != nil {
			t.Errorf("after a change For = %v, want nil", err)
		}
		begin := time.Now()
		if err := w.For(t.Context(), claimed(1, "deaf")); !errors.Is(err, handover.ErrTooLong) || time.Since(begin) != handover.Longest {
			t.Errorf("For = %v after %v, want ErrTooLong after %v", err, time.Since(begin), handover.Longest)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		other := d.Expect("user/2")
		defer other.Close()
		if err := other.For(ctx, claimed(1, "deaf")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("For with a context that ends = %v, want its error", err)
		}
	})
}

func TestDesk_BoundsTheWaitForOneIdentity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := desk(t, new(count))
		var waits []*handover.Wait[string]
		for range handover.Most {
			waits = append(waits, d.Expect("user/1"))
		}
		if d.Expect("user/1") != nil {
			t.Errorf("more than %d wait for one identity", handover.Most)
		}
		waits[0].Close()
		other, again := d.Expect("user/2"), d.Expect("user/1")
		if other == nil || again == nil {
			t.Error("a wait for another identity, or after one has ended, was refused")
		}
		for _, w := range append(waits[1:], other, again) {
			w.Close()
		}
	})
}

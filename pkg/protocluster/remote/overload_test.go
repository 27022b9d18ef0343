package remote_test

import (
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// An actor with a bounded mailbox, and a producer on another node that is ten
// times as fast: what the actor does not take comes back as ErrMailboxFull, and
// neither node's memory grows.
func TestProducerTenTimesAsFast(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		a, b := start(t, on(n, "a", remote.WithQueueBytes(4<<20))), start(t, on(n, "b"))
		const count, size, limit = 30_000, 4 << 10, 500
		next, handled := 0, 0
		props := actor.PropsFromFunc(func(ctx actor.Context) {
			if m, ok := ctx.Message().([]byte); ok {
				if i := int(m[0]) | int(m[1])<<8; i < next {
					t.Errorf("message %d came after %d", i, next-1)
				} else {
					next = i + 1
				}
				handled++
				<-time.After(time.Millisecond)
			}
		}, actor.WithMailboxLimit(limit))
		if _, err := b.system.SpawnNamed(props, "slow"); err != nil {
			t.Fatal(err)
		}
		var bounced atomic.Int64
		a.system.Events().Subscribe(func(event any) {
			if letter, ok := event.(*actor.DeadLetter); ok && errors.Is(letter.Reason, actor.ErrMailboxFull) {
				bounced.Add(1)
			}
		})
		before := heap()
		sent, refused, most := 0, 0, int64(0)
		for i := range count {
			m := make([]byte, size)
			m[0], m[1] = byte(i), byte(i>>8)
			switch err := a.system.TrySend(b.at("slow"), m); {
			case err == nil:
				sent++
			case errors.Is(err, actor.ErrMailboxFull):
				refused++
			default:
				t.Fatal(err)
			}
			if i%10 == 9 {
				testkit.Advance(time.Millisecond)
			}
			if i%5000 == 4999 {
				most = max(most, heap()-before)
			}
		}
		testkit.Advance(time.Minute)
		if came := int(bounced.Load()); handled < count/20 || came < count/2 || handled+came != sent || sent+refused != count {
			t.Errorf("of %d messages %d were refused, %d sent, %d handled and %d came back", count, refused, sent, handled, came)
		}
		if most > 32<<20 {
			t.Errorf("the heap grew by %d bytes", most)
		}
	})
}

// heap is what is in use, in bytes.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

package remote_test

import (
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// Of an overload: messages of so many bytes, and what the heap may grow beside
// what is meant to wait.
const (
	overloadBytes = 16 << 10
	overloadSlack = 24 << 20
)

// heap is what the process holds once its garbage is gone.
func heap() uint64 {
	runtime.GC()
	runtime.GC() // what lay in a sync.Pool
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// overload sends messages one by one, pause apart, and returns how many were
// refused at once. It fails if the heap grows by more than waiting bytes.
func overload(t *testing.T, a *node, to *actor.PID, messages int, pause time.Duration, waiting int64) (refused int) {
	t.Helper()
	before, most := heap(), uint64(0)
	for i := range messages {
		<-time.After(pause)
		switch err := a.system.TrySend(to, wrapperspb.Bytes(make([]byte, overloadBytes))); {
		case errors.Is(err, actor.ErrMailboxFull):
			refused++
		case err != nil:
			t.Fatal(err)
		}
		if i%(messages/10) == 0 {
			most = max(most, heap())
		}
	}
	most = max(most, heap())
	if grown := int64(most) - int64(before); grown > waiting+overloadSlack {
		t.Errorf("the heap grew by %d bytes, want at most %d of waiting messages and %d for the rest", grown, waiting, overloadSlack)
	}
	return refused
}

// A sender ten times as fast as the actor on the other node: what finds its
// mailbox full comes back.
func TestOverload_SlowActor(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		const limit = 100
		messages := 6_000
		if testing.Short() {
			messages = 2_000
		}
		a, b := start(t, on(n, "a")), start(t, on(n, "b"))
		handled := 0
		slow := actor.PropsFromFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(*wrapperspb.BytesValue); ok {
				handled++
				<-time.After(10 * time.Millisecond)
			}
		}, actor.WithMailboxLimit(limit))
		if _, err := b.system.SpawnNamed(slow, "slow"); err != nil {
			t.Fatal(err)
		}
		refused := overload(t, a, b.at("slow"), messages, time.Millisecond, limit*overloadBytes)
		if _, err := a.ask(t, b.at("slow"), wrapperspb.Bytes(nil), time.Minute); !errors.Is(err, actor.ErrMailboxFull) {
			t.Errorf("Ask of the overloaded actor = %v, want %v", err, actor.ErrMailboxFull)
		}
		<-time.After(2 * limit * 10 * time.Millisecond)
		synctest.Wait()
		back := 0
		for len(a.letters) > 0 {
			if d := <-a.letters; errors.Is(d.Reason, actor.ErrMailboxFull) {
				back++
			}
		}
		if handled+refused+back != messages || back < messages/2 {
			t.Errorf("of %d messages %d were handled, %d refused and %d came back; want each of them once, and most back", messages, handled, refused, back)
		}
	})
}

// A node that takes nothing any more: what would wait for it beyond the queue's
// bytes is refused, and what waited arrives once it goes on.
func TestOverload_SlowNode(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		const queue, messages = 4 << 20, 6_000
		patient := func(c *remote.Config) { c.DeadAfter = time.Hour }
		a, b := start(t, on(n, "a", remote.WithQueueBytes(queue), patient)), start(t, on(n, "b", patient))
		handled := 0
		b.spawn(t, "sink", func(ctx actor.Context) {
			if _, ok := ctx.Message().(*wrapperspb.BytesValue); ok {
				handled++
			}
		})
		b.echo(t, "echo")
		if _, err := a.ask(t, b.at("echo"), 1, time.Minute); err != nil {
			t.Fatal(err)
		}
		n.Pause("b")
		refused := overload(t, a, b.at("sink"), messages, time.Microsecond, 2*queue) // and what the connection holds
		if _, err := a.ask(t, b.at("echo"), wrapperspb.Bytes(make([]byte, overloadBytes)), time.Minute); !errors.Is(err, actor.ErrMailboxFull) {
			t.Errorf("Ask of a node that takes nothing = %v, want %v", err, actor.ErrMailboxFull)
		}
		n.Resume("b")
		<-time.After(time.Minute)
		synctest.Wait()
		if handled+refused != messages || refused < messages/2 {
			t.Errorf("of %d messages %d were handled and %d refused; want each of them once, and most refused", messages, handled, refused)
		}
	})
}

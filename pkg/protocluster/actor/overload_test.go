package actor_test

import (
	"errors"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
)

// A producer ten times as fast as its actor learns of it, and costs no more
// memory than the mailbox's limit allows.
func TestOverload_MailboxLimitBoundsTheHeap(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		const limit, size, messages, slack = 100, 16 << 10, 5_000, 8 << 20
		handled := 0
		pid := s.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if _, ok := ctx.Message().(*[size]byte); ok {
				handled++
				<-time.After(10 * time.Millisecond)
			}
		}, actor.WithMailboxLimit(limit)))
		before, refused, most := heap(), 0, 0
		for i := range messages {
			<-time.After(time.Millisecond)
			switch err := s.TrySend(pid, new([size]byte)); {
			case errors.Is(err, actor.ErrMailboxFull):
				refused++
			case err != nil:
				t.Fatal(err)
			}
			if i%500 == 499 {
				most = max(most, heap())
			}
		}
		if grown := most - before; grown > limit*size+slack {
			t.Errorf("the heap grew by %d bytes, want at most %d for the mailbox and %d for the rest", grown, limit*size, slack)
		}
		if _, err := s.Ask(t.Context(), pid, new([size]byte)); !errors.Is(err, actor.ErrMailboxFull) {
			t.Errorf("Ask of the overloaded actor = %v, want %v", err, actor.ErrMailboxFull)
		}
		<-time.After(2 * limit * 10 * time.Millisecond)
		if handled != messages-refused || refused < messages/2 {
			t.Errorf("%d of %d messages were handled and %d refused, want each of them either, and most refused", handled, messages, refused)
		}
	})
}

package remote_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/names"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// What is sent to an actor, and to the name by which it is called if it may not be
// there, arrives in the order of sending, over any number of streams.
func TestHail_KeepsOrderWithTheActor(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		a, b := start(t, on(n, "10.0.0.1")), start(t, on(n, "10.0.0.2"))
		const actors, messages = 20, 200
		got := make([][]int, actors)
		for i := range actors {
			name := fmt.Sprint("actor-", i)
			pid := b.spawn(t, name, func(ctx actor.Context) {
				if m, ok := ctx.Message().(int); ok {
					got[i] = append(got[i], m)
				}
			})
			b.system.HandleMissing(names.Hail+name, func(id string, e actor.Envelope) bool {
				return id == names.Hail+name && b.system.SendEnvelope(pid, e) == nil
			})
		}
		for m := range messages {
			for i := range actors {
				name := fmt.Sprint("actor-", i)
				if m%3 == 0 {
					name = names.Hail + name
				}
				if err := a.system.TrySend(b.at(name), m); err != nil {
					t.Fatal(err)
				}
			}
		}
		testkit.Advance(time.Second)
		for i := range actors {
			if len(got[i]) != messages || !slices.IsSorted(got[i]) {
				t.Errorf("actor %d got %v, want %d messages in order", i, got[i], messages)
			}
		}
	})
}

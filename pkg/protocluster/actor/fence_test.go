package actor_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
)

func TestToken_Compare(t *testing.T) {
	rows := []struct {
		a, b actor.Token
		want int
	}{
		{actor.Token{}, actor.Token{}, 0},
		{actor.Token{}, actor.Token{Counter: 1}, -1},
		{actor.Token{Epoch: 3, Counter: 7}, actor.Token{Epoch: 3, Counter: 7}, 0},
		{actor.Token{Epoch: 3, Counter: 7}, actor.Token{Epoch: 3, Counter: 8}, -1},
		{actor.Token{Epoch: 3, Counter: 7}, actor.Token{Epoch: 4}, -1},
		{actor.Token{Epoch: 1 << 63}, actor.Token{Epoch: 1<<63 - 1, Counter: 1 << 63}, 1},
	}
	for _, row := range rows {
		if got := row.a.Compare(row.b); got != row.want {
			t.Errorf("%v.Compare(%v) = %d, want %d", row.a, row.b, got, row.want)
		}
		if got := row.b.Compare(row.a); got != -row.want {
			t.Errorf("%v.Compare(%v) = %d, want %d", row.b, row.a, got, -row.want)
		}
	}
}

func TestContext_Fence(t *testing.T) {
	bubble(t, func(t *testing.T, s *actor.System) {
		props := new(journal).puppet("it")
		for _, want := range []actor.Token{{}, {Epoch: 12, Counter: 3}} {
			pid := s.Spawn(props.With(actor.WithFence(want)))
			s.Send(pid, fail("so that it restarts"))
			got, err := within[actor.Token](t, s, pid, func(ctx actor.Context) any { return ctx.Fence() })
			if got != want || err != nil {
				t.Errorf("Fence() = %v, %v, want %v", got, err, want)
			}
		}
	})
}

// vault is storage that refuses what a newer activation would not want.
type vault struct {
	mu    sync.Mutex
	value string
	newer actor.Token // of the newest that has written
}

func (v *vault) write(value string, fence actor.Token) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if fence.Compare(v.newer) < 0 {
		return fmt.Errorf("vault: write under %v refused, %v has written since", fence, v.newer)
	}
	v.value, v.newer = value, fence
	return nil
}

// An activation that was replaced and has not noticed cannot undo what its
// successor has written.
func ExampleContext_Fence() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	store := &vault{}
	account := actor.PropsFromFunc(func(ctx actor.Context) {
		if value, ok := ctx.Message().(string); ok {
			if err := store.write(value, ctx.Fence()); err != nil {
				ctx.Respond(err)
				return
			}
			ctx.Respond("saved " + value)
		}
	})
	system := actor.NewSystem()
	defer func() { _ = system.Shutdown(ctx) }()
	old := system.Spawn(account.With(actor.WithFence(actor.Token{Epoch: 7, Counter: 31})))
	successor := system.Spawn(account.With(actor.WithFence(actor.Token{Epoch: 8, Counter: 1})))

	fmt.Println(system.Ask(ctx, old, "10 euros"))
	fmt.Println(system.Ask(ctx, successor, "20 euros"))
	fmt.Println(system.Ask(ctx, old, "11 euros"))
	// Output:
	// saved 10 euros <nil>
	// saved 20 euros <nil>
	// <nil> vault: write under 7.31 refused, 8.1 has written since
}

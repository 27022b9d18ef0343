package lifetime_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/lifetime"
)

var never time.Time

func causeOf(l *lifetime.Lifetime, number uint64) error {
	return context.Cause(l.Context(number, never))
}

func TestLifetime_StopIsForGood(t *testing.T) {
	for name, end := range map[string]func(*lifetime.Lifetime){"Stop": (*lifetime.Lifetime).Stop, "Kill": (*lifetime.Lifetime).Kill} {
		for _, asked := range []bool{true, false} { // for a context, before
			var l lifetime.Lifetime
			first := l.Next()
			if asked {
				ctx := l.Context(first, never)
				defer func() {
					if ctx.Err() == nil {
						t.Errorf("a context made before %s is not done", name)
					}
				}()
			}
			end(&l)
			l.Suspend()
			second := l.Next()
			for _, number := range []uint64{first, second} {
				if err := causeOf(&l, number); !errors.Is(err, context.Canceled) || errors.Is(err, lifetime.ErrSuspended) {
					t.Errorf("cause of number %d after %s = %v, want %v", number, name, err, context.Canceled)
				}
			}
			if got, want := l.Killed(), name == "Kill"; got != want {
				t.Errorf("Killed after %s = %v, want %v", name, got, want)
			}
		}
	}
}

func TestLifetime_SuspendEndsWhatWasBegun(t *testing.T) {
	for _, asked := range []bool{true, false} {
		var l lifetime.Lifetime
		first := l.Next()
		second := l.Next()
		var before context.Context
		if asked {
			before = l.Context(first, never)
		}
		l.Suspend()
		l.Suspend()
		if asked && !errors.Is(context.Cause(before), lifetime.ErrSuspended) {
			t.Errorf("cause = %v, want %v", context.Cause(before), lifetime.ErrSuspended)
		}
		check := func(when string) {
			t.Helper()
			for _, number := range []uint64{first, second} {
				if err := causeOf(&l, number); !errors.Is(err, lifetime.ErrSuspended) || !errors.Is(err, context.Canceled) {
					t.Errorf("asked before %v, %s: cause of number %d = %v, want %v", asked, when, number, err, lifetime.ErrSuspended)
				}
			}
		}
		check("suspended")
		third := l.Next()
		check("afterwards")
		ctx := l.Context(third, never)
		if ctx.Err() != nil {
			t.Errorf("asked before %v: Err of what was begun since = %v, want nil", asked, ctx.Err())
		}
		check("when there are fresh ones")
		if l.Context(l.Next(), never) != ctx {
			t.Error("one more context was made, want them shared until the next Suspend")
		}
		l.Stop()
		if ctx.Err() == nil {
			t.Error("Stop did not end the fresh context")
		}
	}
}

func TestLifetime_Deadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l lifetime.Lifetime
		number := l.Next()
		soon := time.Now().Add(time.Second)
		ctx := l.Context(number, soon)
		if got, _ := ctx.Deadline(); !got.Equal(soon) || l.Context(number, soon) != ctx {
			t.Errorf("Deadline = %v, want %v, and one context for it", got, soon)
		}
		later := l.Context(number, soon.Add(time.Second))
		<-ctx.Done()
		if !errors.Is(ctx.Err(), context.DeadlineExceeded) || later.Err() != nil {
			t.Errorf("Err at the deadline = %v, of a later one %v", ctx.Err(), later.Err())
		}
		l.Suspend()
		if err := context.Cause(later); !errors.Is(err, lifetime.ErrSuspended) {
			t.Errorf("cause = %v, want %v", err, lifetime.ErrSuspended)
		}
	})
}

// Value tells package context why a context is done, even the first that asks.
func TestLifetime_Value(t *testing.T) {
	var l lifetime.Lifetime
	first := l.Next()
	if got := l.Value(first, never, "key"); got != nil {
		t.Errorf("Value = %v, want nil", got)
	}
	l.Suspend()
	if err := context.Cause(asContext{&l, first}); !errors.Is(err, lifetime.ErrSuspended) {
		t.Errorf("cause = %v, want %v", err, lifetime.ErrSuspended)
	}
	second := l.Next()
	if err := context.Cause(asContext{&l, second}); err != nil {
		t.Errorf("cause = %v, want nil", err)
	}
	child, cancel := context.WithCancel(asContext{&l, second})
	defer cancel()
	l.Suspend()
	if err := context.Cause(child); !errors.Is(err, lifetime.ErrSuspended) {
		t.Errorf("cause of a child = %v, want %v", err, lifetime.ErrSuspended)
	}
}

// asContext is a context as an actor's Context is one.
type asContext struct {
	life   *lifetime.Lifetime
	number uint64
}

func (c asContext) ctx() context.Context        { return c.life.Context(c.number, never) }
func (c asContext) Deadline() (time.Time, bool) { return never, false }
func (c asContext) Done() <-chan struct{}       { return c.ctx().Done() }
func (c asContext) Err() error                  { return c.ctx().Err() }
func (c asContext) Value(key any) any           { return c.life.Value(c.number, never, key) }

func TestLifetime_WhoNeverAsksMakesNothing(t *testing.T) {
	var l lifetime.Lifetime
	allocs := testing.AllocsPerRun(100, func() {
		l.Next()
		l.Suspend()
		l.Value(l.Next(), never, "key")
	})
	if allocs != 0 {
		t.Errorf("%v allocations, want 0", allocs)
	}
}

// Whatever happens at the same time: what was begun before a Suspend ends, what
// was begun after one that had returned goes on until the next, and in the end
// everything is done.
func TestLifetime_Races(t *testing.T) {
	for range 200 {
		var l lifetime.Lifetime
		var all sync.WaitGroup
		var mu sync.Mutex
		var made []context.Context
		numbers := make(chan uint64, 1000)
		ask := func(number uint64) context.Context {
			ctx := l.Context(number, never)
			mu.Lock()
			defer mu.Unlock()
			made = append(made, ctx)
			return ctx
		}
		for range 3 {
			all.Go(func() {
				for number := range numbers {
					ask(number)
					runtime.Gosched()
				}
			})
		}
		suspended := make(chan struct{}, 1)
		all.Go(func() { // the one who does things
			defer close(numbers)
			for range 100 {
				number := l.Next()
				numbers <- number
				select {
				case suspended <- struct{}{}: // lets the other suspend now
					ctx := ask(number)
					<-ctx.Done()
				default:
				}
			}
			close(suspended)
		})
		all.Go(func() {
			for range suspended {
				l.Suspend()
			}
		})
		all.Wait()
		l.Suspend()
		for i, ctx := range made {
			if ctx.Err() == nil {
				t.Fatalf("context %d of %d is not done in the end", i, len(made))
			}
		}
	}
}

package actor_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
)

func TestEventStream_KeepsTheOrderOfSubscribers(t *testing.T) {
	var events actor.EventStream
	var got []string
	note := func(name string) func(any) { return func(e any) { got = append(got, name+fmt.Sprint(e)) } }
	events.Publish(0)
	events.Subscribe(note("a"))
	unsubscribe := events.Subscribe(note("b"))
	events.Subscribe(note("c"))
	events.Publish(1)
	unsubscribe()
	unsubscribe()
	events.Publish(2)
	if got, want := strings.Join(got, " "), "a1 b1 c1 a2 c2"; got != want {
		t.Errorf("events = %s, want %s", got, want)
	}
}

func TestEventStream_AHandlerMaySubscribeAndPublish(t *testing.T) {
	var events actor.EventStream
	count := 0
	var unsubscribe func()
	unsubscribe = events.Subscribe(func(e any) {
		if count++; e == "outer" {
			unsubscribe()
			events.Subscribe(func(any) { count += 10 })
			events.Publish("inner")
		}
	})
	events.Publish("outer")
	if count != 11 {
		t.Errorf("count = %d, want 11", count)
	}
}

func TestEventStream_Concurrently(t *testing.T) {
	var events actor.EventStream
	var always atomic.Int32
	events.Subscribe(func(any) { always.Add(1) })
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				unsubscribe := events.Subscribe(func(any) {})
				events.Publish(1)
				unsubscribe()
			}
		})
	}
	wg.Wait()
	if n := always.Load(); n != 800 {
		t.Errorf("%d events, want 800", n)
	}
}

package background_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/background"
)

// Finish waits for those inside, and nobody enters any more.
func TestTurnstile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := background.NewTurnstile()
		for range 2 {
			if !s.Enter() {
				t.Fatal("an open turnstile lets nobody in")
			}
		}
		var finished sync.WaitGroup
		for range 2 { // who closes it may do so again
			finished.Go(func() {
				if err := s.Finish(t.Context()); err != nil {
					t.Errorf("Finish = %v", err)
				}
			})
		}
		synctest.Wait()
		if s.Enter() {
			t.Error("somebody entered after Finish")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Finish(ctx); err == nil || !strings.Contains(err.Error(), "2 calls") {
			t.Errorf("Finish = %v with two inside, want that it says so", err)
		}
		s.Leave()
		s.Leave()
		finished.Wait()
		if s.Enter() {
			t.Error("somebody entered after all had left")
		}
		if err := s.Finish(t.Context()); err != nil {
			t.Errorf("Finish = %v with nobody inside", err)
		}
	})
}

// Whoever was let in is waited for.
func TestTurnstile_Race(t *testing.T) {
	for range 100 {
		s := background.NewTurnstile()
		var inside, entering sync.WaitGroup
		done := make(chan struct{}, 4)
		for range cap(done) {
			entering.Go(func() {
				if s.Enter() {
					inside.Go(func() { done <- struct{}{}; s.Leave() })
					return
				}
				done <- struct{}{}
			})
		}
		if err := s.Finish(t.Context()); err != nil {
			t.Fatalf("Finish = %v", err)
		}
		entering.Wait()
		if len(done) != cap(done) {
			t.Fatalf("Finish returned with %d of %d still inside", cap(done)-len(done), cap(done))
		}
		inside.Wait()
	}
}

// What it costs to begin and end a short call, one after the other and by all
// processors at a time.
func BenchmarkTurnstile(b *testing.B) {
	gate, s := background.NewGate(), background.NewTurnstile()
	rows := []struct {
		name string
		pass func()
	}{
		{"gate", func() { gate.Enter("request"); gate.Leave("request") }},
		{"turnstile", func() { s.Enter(); s.Leave() }},
	}
	for _, row := range rows {
		b.Run(row.name, func(b *testing.B) {
			for b.Loop() {
				row.pass()
			}
		})
		b.Run(row.name+", in parallel", func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					row.pass()
				}
			})
		})
	}
}

package latch_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/latch"
)

func TestLatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l latch.Latch
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := l.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Wait = %v, want it to end with its context", err)
		}
		begin := time.Now()
		var waiting sync.WaitGroup
		for range 3 {
			waiting.Go(func() {
				if err := l.Wait(t.Context()); err != nil || time.Since(begin) != time.Minute {
					t.Errorf("Wait = %v after %v, want nil after a minute", err, time.Since(begin))
				}
			})
		}
		time.AfterFunc(time.Minute, l.Open)
		waiting.Wait()
		if err := l.Wait(ctx); err != nil {
			t.Errorf("Wait for an open latch = %v, want nil", err)
		}
	})
}

func TestLatch_OpenIsFree(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() {
		var l latch.Latch
		l.Open()
		_ = l.Wait(t.Context())
	}); n > 1 {
		t.Errorf("%v allocations, want at most that of the latch", n)
	}
}

package background_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/background"
)

func TestSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		if !background.Sleep(t.Context(), time.Minute) || time.Since(begin) != time.Minute {
			t.Errorf("it slept for %v, want a minute", time.Since(begin))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if background.Sleep(ctx, time.Minute) || time.Since(begin) != time.Minute+time.Second {
			t.Errorf("it slept for %v, want until the context ended after a second", time.Since(begin)-time.Minute)
		}
	})
}

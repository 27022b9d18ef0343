package turns_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/internal/turns"
)

var errOver = errors.New("over")

// Turns come one after the other, and who waits gives up with its context.
func TestTurns_OneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := turns.New("another", errOver)
		ctx, release, err := all.Take(t.Context())
		if err != nil || ctx.Err() != nil {
			t.Fatalf("Take = %v, its context %v; want a turn", err, ctx.Err())
		}
		hasty, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, _, err := all.Take(hasty); !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), "another is under way: ") {
			t.Errorf("a second Take = %v, want to wait in vain", err)
		}
		time.AfterFunc(time.Second, release)
		begin := time.Now()
		_, next, err := all.Take(t.Context())
		if err != nil || time.Since(begin) != time.Second {
			t.Fatalf("the next Take = %v after %v, want it when the first is over", err, time.Since(begin))
		}
		if ctx.Err() == nil {
			t.Error("the context of a turn outlives it")
		}
		next()
	})
}

// Interrupt ends the turn under way, Close none; either ends those to come.
func TestTurns_Interrupt(t *testing.T) {
	for name, interrupt := range map[string]bool{"Close": false, "Interrupt": true} {
		all := turns.New("another", errOver)
		ctx, release, err := all.Take(t.Context())
		if err != nil || all.Closed() {
			t.Fatalf("%s: Take = %v, closed %t", name, err, all.Closed())
		}
		if interrupt {
			all.Interrupt()
		} else {
			all.Close()
		}
		if interrupted := context.Cause(ctx) == errOver; interrupted != interrupt || !all.Closed() { //nolint:errorlint // it is not wrapped
			t.Errorf("%s: the turn under way ends: %t, closed %t", name, interrupted, all.Closed())
		}
		release()
		ctx, release, err = all.Take(t.Context())
		if err != nil || !errors.Is(context.Cause(ctx), errOver) {
			t.Errorf("%s: a later Take = %v, its context %v; want one that has ended", name, err, context.Cause(ctx))
		}
		release()
		all.Interrupt() // nobody has the turn
	}
}

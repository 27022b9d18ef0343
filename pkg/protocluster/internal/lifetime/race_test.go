package lifetime

import (
	"context"
	"errors"
	"testing"
	"time"
)

// A Suspend that takes its time must not leave the contexts of what it concerns
// without an end, nor end those of what came since.
func TestLifetime_ASlowSuspend(t *testing.T) {
	var l Lifetime
	before := l.Context(l.Next(), time.Time{})
	l.orders.Or(suspended) // so far Suspend has come
	since := l.Context(l.Next(), time.Time{})
	if !errors.Is(context.Cause(before), ErrSuspended) {
		t.Errorf("cause = %v, want %v", context.Cause(before), ErrSuspended)
	}
	l.end(0)
	if since.Err() != nil {
		t.Errorf("Err of what was begun since = %v, want nil", since.Err())
	}
}

package cluster

import (
	"context"
	"fmt"
	"time"
)

// until looks every few milliseconds whether ok holds.
func until(ctx context.Context, what string, ok func() bool) error {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for !ok() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("cluster: waited in vain until %s: %w", what, context.Cause(ctx))
		}
	}
	return nil
}

package bench

import (
	"context"
	"fmt"
	"time"
)

// Until looks every millisecond whether ok holds, until it does or ctx ends.
func Until(ctx context.Context, what string, ok func() bool) error {
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for !ok() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("bench: waited in vain until %s: %w", what, context.Cause(ctx))
		}
	}
	return nil
}

package consul

import (
	"context"
	"log/slog"
	"time"
)

const (
	// ttl is how long Consul believes in a node that it does not hear of: a
	// check exactly, a session up to twice as long.
	ttl = 15 * time.Second
	// beat is how often it hears of one.
	beat = ttl / 3
	// beatTimeout bounds one time.
	beatTimeout = 5 * time.Second
	// Between failures a keeper waits from firstBeat to lastBeat.
	firstBeat = 250 * time.Millisecond
	lastBeat  = beat
)

// keeper repeats something on a goroutine of its own until it is stopped.
type keeper struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when the goroutine has ended
}

// keep calls f every beat from now on, and sooner while that fails, of which it
// logs the first time. It keeps the values of ctx and outlives it.
func keep(ctx context.Context, log *slog.Logger, what string, f func(ctx context.Context) error) *keeper {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	k := &keeper{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(k.done)
		for failures, pause := 0, beat; sleep(ctx, pause) == nil; {
			switch err := once(ctx, f); {
			case err == nil && failures == 0:
			case err == nil:
				log.Info("consul: "+what+" again", "failures", failures)
				failures, pause = 0, beat
			case ctx.Err() == nil:
				if failures == 0 {
					log.Warn("consul: not "+what+" at the moment", "error", err)
				}
				pause = backoff(failures, firstBeat, lastBeat)
				failures++
			}
		}
	}()
	return k
}

func once(ctx context.Context, f func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, beatTimeout)
	defer cancel()
	return f(ctx)
}

// stop returns when f runs no more and never will. A nil keeper has stopped.
func (k *keeper) stop() {
	if k != nil {
		k.cancel()
		<-k.done
	}
}

package testkit_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// However hosts fail, what is read is a prefix of what was written, and nobody
// waits for ever once all is well again.
func TestAnyFaultsKeepStreamsWhole(t *testing.T) {
	seeds := uint64(10)
	if testing.Short() {
		seeds = 3
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := testkit.NewNetwork(seed)
				n.Shape(testkit.Link{Latency: time.Millisecond, Jitter: 5 * time.Millisecond, Loss: 0.01, Rate: 1 << 20, Window: 1 << 10})
				hosts := []string{"a", "b", "c"}
				ctx, cancel := context.WithCancel(t.Context())
				var w sync.WaitGroup
				for _, h := range hosts {
					w.Go(func() { accept(ctx, t, n, h) })
					w.Go(func() { dialAll(ctx, n, h, hosts) })
				}
				dice := rand.New(rand.NewPCG(seed, 0))
				for range 300 {
					strike(n, dice, hosts[dice.IntN(3)], hosts[dice.IntN(3)])
					testkit.Advance(time.Duration(dice.IntN(200)) * time.Millisecond)
				}
				n.HealAll()
				for _, h := range hosts {
					n.Resume(h)
					n.Restart(h)
				}
				cancel()
				for _, h := range hosts {
					n.Kill(h)
				}
				w.Wait()
			})
		})
	}
}

func strike(n *testkit.Network, dice *rand.Rand, a, b string) {
	faults := []func(){
		func() { n.Cut(testkit.Route{From: a, To: b}) },
		func() { n.Partition(a, b) },
		func() { n.Isolate(a) },
		func() { n.Heal(a, b) },
		n.HealAll,
		func() { n.Reset(a, b) },
		func() { n.Pause(a) },
		func() { n.Resume(a) },
		func() { n.Kill(a) },
		func() { n.Crash(a) },
		func() { n.Restart(a) },
		func() {
			n.Shape(testkit.Link{Latency: time.Duration(dice.IntN(50)) * time.Millisecond, Loss: dice.Float64() / 4})
		},
	}
	faults[dice.IntN(len(faults))]()
}

// accept checks what comes to host, by whichever process it has.
func accept(ctx context.Context, t testing.TB, n *testkit.Network, host string) {
	t.Helper()
	var w sync.WaitGroup
	defer w.Wait()
	for ; ctx.Err() == nil; pause(ctx) {
		l, err := n.Host(host).Listen(ctx, ":1")
		if err != nil {
			continue
		}
		for {
			c, err := l.Accept()
			if err != nil {
				break
			}
			w.Go(func() {
				defer func() { _ = c.Close() }()
				got, err := io.ReadAll(c)
				for i, b := range got {
					if b != byte(i%251) {
						t.Errorf("byte %d of %d is %d, want %d; then %v", i, len(got), b, i%251, err)
						return
					}
				}
			})
		}
	}
}

// dialAll writes to any host that it reaches.
func dialAll(ctx context.Context, n *testkit.Network, host string, hosts []string) {
	text := make([]byte, 10_000)
	for i := range text {
		text[i] = byte(i % 251)
	}
	for i := 0; ctx.Err() == nil; i++ {
		limited, cancel := context.WithTimeout(ctx, time.Second)
		c, err := n.Host(host).Dial(limited, net.JoinHostPort(hosts[i%len(hosts)], "1"))
		cancel()
		if err != nil {
			pause(ctx)
			continue
		}
		_ = c.SetWriteDeadline(time.Now().Add(time.Second))
		_, _ = c.Write(text)
		_ = c.Close()
	}
}

func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(10 * time.Millisecond):
	}
}

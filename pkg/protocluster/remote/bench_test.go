package remote_test

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

// pairOfNodes is two nodes on loopback TCP that are connected both ways.
func pairOfNodes(t testing.TB) (a, b *node) {
	t.Helper()
	a, b = start(t, remote.Configure("127.0.0.1", 0, remote.WithQueueBytes(128<<20))), start(t, remote.Configure("127.0.0.1", 0))
	b.echo(t, "echo")
	if _, err := a.system.Ask(t.Context(), b.at("echo"), 1); err != nil {
		t.Fatal(err)
	}
	return a, b
}

func BenchmarkRemoteAsk(bench *testing.B) {
	a, b := pairOfNodes(bench)
	message, to := wrapperspb.String("hello"), b.at("echo")
	bench.ReportAllocs()
	for bench.Loop() {
		if _, err := a.system.Ask(bench.Context(), to, message); err != nil {
			bench.Fatal(err)
		}
	}
}

func BenchmarkRemoteAskParallel(bench *testing.B) {
	a, b := pairOfNodes(bench)
	message := wrapperspb.String("hello")
	bench.ReportAllocs()
	bench.SetParallelism(64)
	bench.RunParallel(func(pb *testing.PB) {
		to := b.at("echo")
		for pb.Next() {
			if _, err := a.system.Ask(bench.Context(), to, message); err != nil {
				bench.Error(err)
				return
			}
		}
	})
}

// BenchmarkRemoteTell sends from one goroutine to one actor and ends when the
// last message was handled.
func BenchmarkRemoteTell(bench *testing.B) {
	for _, size := range []int{16, 256, 4096} {
		bench.Run(fmt.Sprintf("%dB", size), func(bench *testing.B) {
			a, b := pairOfNodes(bench)
			const run = 1000
			handled, credit := 0, make(chan bool, bench.N/run+20)
			for range 10 {
				credit <- true
			}
			sink := b.spawn(bench, "sink", func(ctx actor.Context) {
				if _, ok := ctx.Message().(*wrapperspb.BytesValue); ok {
					if handled++; handled%run == 0 || handled == bench.N {
						credit <- true
					}
				}
			})
			message, to := wrapperspb.Bytes(make([]byte, size)), actor.NewPID(b.Address(), sink.ID)
			bench.SetBytes(int64(size))
			bench.ReportAllocs()
			bench.ResetTimer()
			for i := range bench.N {
				if i%run == 0 {
					<-credit // at most ten runs are under way
				}
				if err := a.Deliver(to, actor.Envelope{Message: message}); err != nil {
					bench.Fatal(err)
				}
			}
			for range min(10, (bench.N+run-1)/run) {
				<-credit
			}
		})
	}
}

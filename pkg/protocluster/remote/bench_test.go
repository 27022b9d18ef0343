package remote_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/remotepb"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

// numbered is a message whose first four bytes are number; of 32 bytes when it is
// encoded, if size is 30.
func numbered(number, size int) *wrapperspb.BytesValue {
	m := wrapperspb.Bytes(make([]byte, size))
	binary.LittleEndian.PutUint32(m.Value, uint32(number))
	return m
}

func number(m *wrapperspb.BytesValue) uint32 { return binary.LittleEndian.Uint32(m.Value) }

// BenchmarkAsk asks an actor in another process, and beside it a stream of gRPC
// that carries a message at a time (from one caller), or a batch.
func BenchmarkAsk(bench *testing.B) {
	for _, callers := range []int{1, 64, 512} {
		if callers == 1 {
			bench.Run("stream/1", benchmarkStream)
		} else {
			bench.Run(fmt.Sprintf("batched/%d", callers), func(bench *testing.B) { benchmarkBatchedAsk(bench, callers) })
		}
		bench.Run(fmt.Sprintf("remote/%d", callers), func(bench *testing.B) { benchmarkAsk(bench, callers) })
	}
}

// calls has so many callers call, b.N times in all.
func calls(b *testing.B, callers int, call func(caller int) error) {
	b.Helper()
	took := make([][]time.Duration, callers)
	var next atomic.Int64
	var all sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for caller := range callers {
		all.Go(func() {
			for next.Add(1) <= int64(b.N) {
				began := time.Now()
				if err := call(caller); err != nil {
					b.Error(err)
					return
				}
				took[caller] = append(took[caller], time.Since(began))
			}
		})
	}
	all.Wait()
	b.StopTimer()
	sorted := slices.Concat(took...)
	slices.Sort(sorted)
	if len(sorted) > 0 {
		b.ReportMetric(float64(sorted[len(sorted)/2].Nanoseconds()), "p50-ns")
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "/s")
}

// local is a node that has asked its peer something.
func local(b *testing.B) (*node, *peer) {
	b.Helper()
	n, p := start(b, remote.Configure("127.0.0.1", 0, remote.WithQueueBytes(128<<20))), startPeer(b)
	if _, err := n.system.Ask(b.Context(), p.at("echo"), 1); err != nil {
		b.Fatal(err)
	}
	return n, p
}

func benchmarkAsk(b *testing.B, callers int) {
	b.Helper()
	n, p := local(b)
	message, to := numbered(1, 30), p.at("echo")
	calls(b, callers, func(int) error {
		_, err := n.system.Ask(b.Context(), to, message)
		return err
	})
}

func benchmarkStream(b *testing.B) {
	b.Helper()
	n, p := local(b)
	s, f := openRaw(b, n, p, "Echo"), &remotepb.Frame{Batch: make([]byte, 32)}
	calls(b, 1, func(int) error {
		if err := s.SendMsg(f); err != nil {
			return err
		}
		return s.RecvMsg(new(remotepb.Frame))
	})
}

func benchmarkBatchedAsk(b *testing.B, callers int) {
	b.Helper()
	n, p := local(b)
	s := &rawBatches{stream: openRaw(b, n, p, "EchoAll"), wake: make(chan struct{}, 1)}
	for range callers {
		s.waiting = append(s.waiting, make(chan *wrapperspb.BytesValue, 1))
	}
	message := numbered(1, 30)
	s.open(b, func() {
		calls(b, callers, func(caller int) error {
			s.push(uint32(caller), message)
			<-s.waiting[caller]
			return nil
		})
	})
}

// open has the reader and writer of s run while f does.
func (s *rawBatches) open(b *testing.B, f func()) {
	b.Helper()
	done := make(chan struct{})
	var work sync.WaitGroup
	for _, do := range []func() error{func() error { return s.write(done) }, s.read} {
		work.Go(func() {
			if err := do(); err != nil {
				b.Error(err)
			}
		})
	}
	f()
	close(done)
	work.Wait()
}

// BenchmarkTell sends from one goroutine to one actor in another process, and
// beside it over a batched stream of gRPC, until the last message was handled.
// At most 32 runs of messages are under way.
func BenchmarkTell(bench *testing.B) {
	for _, size := range []int{30, 254, 4092} {
		bench.Run(fmt.Sprintf("batched/%dB", size+2), func(bench *testing.B) { benchmarkBatchedTell(bench, size) })
		bench.Run(fmt.Sprintf("remote/%dB", size+2), func(bench *testing.B) { benchmarkTell(bench, size) })
	}
}

// sends calls send for b.N messages, to the next run, and takes credit for runs
// that were handled from had.
func sends(b *testing.B, size int, send func(*wrapperspb.BytesValue) error, had func() error) {
	b.Helper()
	total, ahead := (b.N+run-1)/run*run, 0
	b.SetBytes(int64(size))
	b.ReportAllocs()
	b.ResetTimer()
	for i := range total {
		if i%run == 0 {
			if ahead++; ahead > 32 {
				if err := had(); err != nil {
					b.Fatal(err)
				}
				ahead--
			}
		}
		if err := send(numbered(i, size)); err != nil {
			b.Fatal(err)
		}
	}
	for range ahead {
		if err := had(); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(total)/b.Elapsed().Seconds(), "/s")
}

func benchmarkTell(b *testing.B, size int) {
	b.Helper()
	n, p := local(b)
	runs := make(chan any, 100)
	me := n.spawn(b, "counter", func(ctx actor.Context) {
		if _, ok := ctx.Message().(string); ok {
			runs <- ctx.Message()
		}
	})
	to := p.at("sink")
	sends(b, size, func(m *wrapperspb.BytesValue) error {
		return n.Deliver(to, actor.Envelope{Message: m, Sender: me})
	}, func() error {
		if m := <-runs; m != "a run" {
			return fmt.Errorf("%v", m)
		}
		return nil
	})
}

func benchmarkBatchedTell(b *testing.B, size int) {
	b.Helper()
	n, p := local(b)
	s := openRaw(b, n, p, "Count")
	const most = 64 << 10 // bytes of a batch
	var batch []byte
	flush := func() error {
		defer func() { batch = batch[:0] }()
		return s.SendMsg(&remotepb.Frame{Batch: batch})
	}
	sends(b, size, func(m *wrapperspb.BytesValue) error {
		batch = appendEntry(batch, 0, m)
		if len(batch) < most && number(m)%run != run-1 {
			return nil
		}
		return flush()
	}, func() error { return s.RecvMsg(new(remotepb.Frame)) })
}

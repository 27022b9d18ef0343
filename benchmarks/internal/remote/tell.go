package remote

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/protocluster/workshop/benchmarks/internal/bench"
	"github.com/protocluster/workshop/benchmarks/internal/gen/benchpb"
	"github.com/protocluster/workshop/benchmarks/internal/tally"
)

// smallest is how many bytes the small message has, encoded.
const smallest = 32

// tell is a workload: each sender sends to a receiver of its own.
type tell struct {
	senders  int
	messages int  // in all
	bytes    int  // of a message, encoded
	cost     bool // what is measured is the time of one
}

// teller is a peer that can tell.
type teller interface {
	peer
	// tell has each sender send n messages with that payload to the receiver of
	// its number, and returns what came there once it is all, or when ctx ends.
	tell(ctx context.Context, senders, n int, payload []byte) (*benchpb.Tally, error)
}

func tellers(t tell) []bench.Contender {
	return []bench.Contender{
		contender(bench.Protocluster, func(ctx context.Context, at string) (teller, error) {
			return connectProtocluster(ctx, at, echoes)
		}, t.run),
		contender(bench.ProtoActor, func(ctx context.Context, at string) (teller, error) { return connectProtoActor(ctx, at) }, t.run),
		contender(grpcStream, func(ctx context.Context, at string) (teller, error) { return connectStream(ctx, at, 0) }, t.run),
		contender(tcp, func(_ context.Context, at string) (teller, error) { return tcpTeller{at}, nil }, t.run),
	}
}

// run measures from the first message that is sent until it is known that the
// last was handled.
func (t tell) run(ctx context.Context, p teller) (bench.Sample, error) {
	n := t.messages / t.senders
	payload := make([]byte, payloadOf(t.bytes))
	start := time.Now()
	came, err := p.tell(ctx, t.senders, n, payload)
	took := time.Since(start)
	if err != nil {
		return nil, err
	}
	total := n * t.senders
	if int(came.Messages) != total || came.Misplaced > 0 {
		return nil, &tally.LossError{Want: total, Got: int(came.Messages), Misplaced: int(came.Misplaced)}
	}
	if t.cost {
		return bench.Sample{float64(took) / float64(total)}, nil
	}
	return bench.Sample{float64(total) / took.Seconds()}, nil
}

// payloadOf is how long the payload of an Item is that has that many bytes,
// encoded.
func payloadOf(bytes int) int {
	const numbers, tag = 2 * (1 + 4), 1
	length := bytes - numbers - tag - 1
	for size := 128; length >= size && size <= math.MaxInt32; size *= 128 {
		length-- // the length takes one byte more
	}
	return length
}

// items yields what one sender sends. Each is a message of its own, for an
// actor's may be kept.
func items(from, n int, payload []byte) func(yield func(*benchpb.Item) bool) {
	return func(yield func(*benchpb.Item) bool) {
		for number := range n {
			if !yield(&benchpb.Item{From: uint32(from), Number: uint32(number), Payload: payload}) {
				return
			}
		}
	}
}

// orders are what a receiver of actors is told beside the messages that it
// counts.
type orders interface {
	// order asks receiver for a Tally.
	order(ctx context.Context, receiver int, m any) (*benchpb.Tally, error)
}

// expect prepares receivers 0 to senders-1 for n messages each.
func expect(ctx context.Context, o orders, senders, n int) error {
	for receiver := range senders {
		m := &benchpb.Expect{Senders: uint32(senders), Messages: uint32(n)}
		if _, err := o.order(ctx, receiver, m); err != nil {
			return fmt.Errorf("remote: receiver %d: %w", receiver, err)
		}
	}
	return nil
}

// await returns what came when it is all, or what there is shortly before ctx ends.
func await(ctx context.Context, o orders, senders int) (*benchpb.Tally, error) {
	const margin = 5 * time.Second
	patient, cancel := ctx, context.CancelFunc(func() {})
	if end, ok := ctx.Deadline(); ok {
		patient, cancel = context.WithDeadline(ctx, end.Add(-margin))
	}
	defer cancel()
	var sum benchpb.Tally
	for receiver := range senders {
		got, err := o.order(patient, receiver, &benchpb.Await{})
		if err != nil {
			var late error
			if got, late = o.order(ctx, receiver, &benchpb.Await{Now: true}); late != nil {
				return nil, errors.Join(err, late)
			}
		}
		sum.Messages += got.Messages
		sum.Misplaced += got.Misplaced
	}
	return &sum, nil
}

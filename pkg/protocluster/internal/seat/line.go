package seat

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/seatpb"
)

const (
	idleAfter  = 30 * time.Second // a connection ends that has had nothing to carry for so long
	minBackoff = 20 * time.Millisecond
	maxBackoff = 250 * time.Millisecond
	refusedFor = 5 * time.Second // after a refusal that will be the same next time
)

var (
	errIdle    = errors.New("nothing was sent for a while")
	errStalled = errors.New("nothing arrives there")
)

// line is the way to one address: it connects when there is something to send,
// and connects again.
type line struct {
	*lines
	address string
	wake    chan struct{} // something waits
	refused string        // why, the last time
	queue   []parcel      // guarded by lines.mu
}

// run ends when there was nothing to send for long, with ctx, or after finish.
func (n *line) run(ctx context.Context) {
	for attempt := 0; n.await(ctx); attempt++ {
		heard, err := n.talk(ctx)
		if heard {
			attempt, n.refused = 0, ""
		}
		if !errors.Is(err, errIdle) && !n.pause(ctx, n.backoff(attempt, err)) {
			return
		}
	}
}

// await waits for something to send; false if the line ends instead.
func (n *line) await(ctx context.Context) bool {
	idle := time.NewTimer(idleAfter)
	defer idle.Stop()
	for !n.waits(n) {
		select {
		case <-n.wake:
		case <-idle.C:
			if n.retire(n) {
				return false
			}
		case <-n.ending:
			return n.waits(n)
		case <-ctx.Done():
			return false
		}
	}
	return ctx.Err() == nil
}

// pause waits; false if the line ends instead.
func (n *line) pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-n.ending:
	case <-ctx.Done():
	}
	return false
}

// backoff is how long to wait before the next attempt. Half of it is chance, so
// that nodes do not dial in step.
func (n *line) backoff(attempt int, err error) time.Duration {
	most := min(maxBackoff, minBackoff<<min(attempt, 10))
	switch status.Code(err) {
	case codes.FailedPrecondition, codes.PermissionDenied, codes.InvalidArgument, codes.Unimplemented, codes.Unauthenticated:
		most = refusedFor
		if why := status.Convert(err).Message(); why != n.refused {
			n.refused = why
			n.log.Warn("seat: a node refuses lease traffic", "address", n.address, "reason", why)
		}
	default:
		n.log.Debug("seat: the connection for lease traffic ended", "address", n.address, "attempt", attempt+1, "error", err)
	}
	return most/2 + rand.N(most/2)
}

// talk connects and sends what waits, until that fails or there is nothing to
// send any more. It tells whether anything has arrived there.
func (n *line) talk(ctx context.Context) (heard bool, err error) {
	conn, err := n.dial(n.address)
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	p := newProgress(n.patience, func() { cancel(errStalled) })
	defer p.stop()
	stream, err := seatpb.NewSeatClient(conn).Tell(ctx)
	if err != nil {
		return false, errors.Join(context.Cause(ctx), err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		cancel(p.follow(stream))
	}()
	cancel(n.write(ctx, stream, p))
	<-ended
	return p.heard(), context.Cause(ctx)
}

// write sends what waits. If that fails, whoever reads the stream knows why and
// ends ctx.
func (n *line) write(ctx context.Context, stream seatpb.Seat_TellClient, p *progress) error {
	speaker, idle := "", time.NewTimer(idleAfter)
	defer idle.Stop()
	send := func(f *seatpb.Frame) {
		p.sending()
		if stream.Send(f) != nil {
			<-ctx.Done()
		}
	}
	for ctx.Err() == nil {
		m, ok := n.next(n)
		if ok && m.from != speaker {
			hello := &seatpb.Hello{Version: version, Cluster: n.name, Member: m.from, Address: n.lines.address}
			send(&seatpb.Frame{Content: &seatpb.Frame_Hello{Hello: hello}})
			speaker = m.from
		}
		if ok {
			send(&seatpb.Frame{To: m.to, Content: m.frame.Content})
			idle.Reset(idleAfter)
			continue
		}
		select {
		case <-n.wake:
		case <-idle.C:
			return errIdle
		case <-n.ending:
			p.closing()
			_ = stream.CloseSend() // the end of the stream says that all has arrived
			<-ctx.Done()
		case <-ctx.Done():
		}
	}
	return nil
}

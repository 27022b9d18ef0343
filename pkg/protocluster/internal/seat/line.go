package seat

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/protocluster/workshop/pkg/protocluster/internal/backoff"
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

// line is the way to one address. While it runs it connects when there is
// something to send, and connects again.
type line struct {
	*lines
	address string
	wake    chan struct{} // something waits
	refused string        // why, the last time

	// guarded by lines.mu
	queue []parcel
	runs  bool
	heard time.Time // when something arrived last over the connection that there is
	back  *back     // the stream that the other has opened; nil: none
}

// goesBack reports whether what is sent now takes the stream that the other has
// opened. If both have opened one, both use that of the lower address, and the
// other falls idle. lines.mu is held.
func (n *line) goesBack(now time.Time) bool {
	if n.back == nil || !n.back.alive(now) {
		return false
	}
	return n.address < n.lines.address || now.Sub(n.heard) > n.patience
}

// run ends when there was nothing to send for long, with ctx, or after finish.
func (n *line) run(ctx context.Context) {
	for attempt := 0; n.await(ctx); attempt++ {
		heard, err := n.talk(ctx)
		if heard {
			attempt, n.refused = 0, ""
		}
		if !errors.Is(err, errIdle) && !n.pause(ctx, n.pauseAfter(attempt, err)) {
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

// pauseAfter tells of a failure, and returns how long to wait before the next attempt.
func (n *line) pauseAfter(attempt int, err error) time.Duration {
	most := backoff.Delay(attempt+1, minBackoff, maxBackoff)
	switch status.Code(err) {
	case codes.FailedPrecondition, codes.PermissionDenied, codes.InvalidArgument, codes.Unimplemented, codes.Unauthenticated:
		most = refusedFor
		if why := status.Convert(err).Message(); why != n.refused {
			n.refused = why
			n.log.Warn("seat: no lease traffic with a node", "address", n.address, "reason", why)
		}
	default:
		n.log.Debug("seat: the connection for lease traffic ended", "address", n.address, "attempt", attempt+1, "error", err)
	}
	return backoff.Half(most)
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
		cancel(n.read(ctx, stream, p))
	}()
	cancel(n.write(ctx, stream, p))
	<-ended
	n.arrives(time.Time{})
	return p.heard(), context.Cause(ctx)
}

// write sends what waits. If that fails, whoever reads the stream knows why and
// ends ctx.
func (n *line) write(ctx context.Context, stream seatpb.Seat_TellClient, p *progress) error {
	speaker, idle := "", time.NewTimer(idleAfter)
	defer idle.Stop()
	for ctx.Err() == nil {
		if f := n.next(&speaker); f != nil {
			p.sending(f)
			if stream.Send(f) != nil {
				<-ctx.Done()
			}
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

// next is what goes over the connection next, nil if nothing waits.
func (n *line) next(speaker *string) *seatpb.Frame {
	now := time.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.take(n, now, speaker, func(*parcel) bool { return true })
}

// read takes in what comes back until the stream ends or does not deserve to go
// on.
func (n *line) read(ctx context.Context, stream seatpb.Seat_TellClient, p *progress) error {
	e := ear{listener: n.listener, service: n.service, dialled: n.address}
	for {
		f, err := stream.Recv()
		switch {
		case err != nil:
			return err
		case proto.Size(f) > maxFrame:
			return n.service.violation("oversized", codes.ResourceExhausted, "a frame is larger than %d bytes", maxFrame)
		case !p.receipt(f.GetArrived(), f.Content == nil):
			return n.service.violation("malformed", codes.InvalidArgument, "a receipt for %d frames", f.GetArrived())
		}
		n.arrives(time.Now())
		if f.Content == nil {
			continue
		}
		if err := e.take(ctx, f); err != nil {
			return err
		}
	}
}

// arrives takes note of when something has arrived.
func (n *line) arrives(at time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.heard = at
}

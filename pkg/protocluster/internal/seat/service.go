package seat

import (
	"errors"
	"io"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/seatpb"
)

const (
	maxStreams = 10_000          // that others have opened
	greeting   = 5 * time.Second // for the first frame
	silence    = 2 * idleAfter   // of a node that would have closed its stream
)

// Service takes in what other nodes send to a Seat. It is registered with a gRPC
// server before that serves, and refuses everything while no Seat runs. Its
// methods may be called concurrently.
type Service struct {
	seatpb.UnimplementedSeatServer

	mu       sync.Mutex
	session  *session // of the Seat that runs
	streams  int
	rejected map[string]int

	received atomic.Uint64
}

// session is a Seat's use of a Service.
type session struct {
	lines   *lines
	service *Service
	over    chan struct{} // closed when the Seat has ended
	work    sync.WaitGroup
}

// NewService returns a Service for the gRPC server of one node.
func NewService() *Service { return &Service{rejected: make(map[string]int)} }

// Desc is what a gRPC server has to register the Service by.
func (s *Service) Desc() *grpc.ServiceDesc { return &seatpb.Seat_ServiceDesc }

// open has the Seat listen whose lines these are, until close.
func (s *Service) open(l *lines) (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session != nil {
		return nil, errors.New("seat: another seat uses the service; make a new one for each node")
	}
	s.session = &session{lines: l, service: s, over: make(chan struct{})}
	return s.session, nil
}

// close ends all streams and returns when nothing of them is left.
func (u *session) close() {
	u.service.mu.Lock()
	u.service.session = nil
	u.service.mu.Unlock()
	close(u.over)
	u.work.Wait()
}

// Tell implements seatpb.SeatServer.
func (s *Service) Tell(stream seatpb.Seat_TellServer) error {
	u, err := s.enter()
	if err != nil {
		return err
	}
	defer s.leave(u)
	in := &inflow{stream: stream, back: u.lines.openBack(stream.Send, u.work.Go), quiet: time.NewTimer(greeting)}
	in.ear = ear{listener: u.lines.listener, service: s}
	defer in.quiet.Stop()
	defer in.back.close()
	ended := make(chan error, 1)
	u.work.Go(func() { ended <- in.read() }) // it ends with the stream
	select {
	case err = <-ended:
	case <-in.quiet.C:
		err = s.violation("silent", codes.DeadlineExceeded, "nothing was heard for too long")
	case <-in.back.superseded:
		err = status.Error(codes.Aborted, "seat: the node has opened another stream")
	case <-u.over:
		err = status.Error(codes.Unavailable, "seat: this node is leaving")
	}
	return err
}

// enter begins a stream.
func (s *Service) enter() (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.session == nil:
		return nil, status.Error(codes.Unavailable, "seat: this node is no member yet, or any more")
	case s.streams >= maxStreams:
		s.rejected["too many streams"]++
		return nil, status.Errorf(codes.ResourceExhausted, "seat: %d streams are open already", maxStreams)
	}
	s.streams++
	s.session.work.Add(1)
	return s.session, nil
}

func (s *Service) leave(u *session) {
	s.mu.Lock()
	s.streams--
	s.mu.Unlock()
	u.work.Done()
}

// violation counts what a node did wrong and returns the status that tells it.
func (s *Service) violation(reason string, code codes.Code, format string, args ...any) error {
	s.mu.Lock()
	s.rejected[reason]++
	s.mu.Unlock()
	return status.Errorf(code, "seat: "+format, args...)
}

// report tells what there was.
func (s *Service) report(to *Stats) {
	s.mu.Lock()
	defer s.mu.Unlock()
	to.Received, to.Rejected = s.received.Load(), maps.Clone(s.rejected)
}

// inflow is one stream that another node has opened.
type inflow struct {
	ear
	stream seatpb.Seat_TellServer
	back   *back
	quiet  *time.Timer // ends the stream
}

// read takes in frames until the stream ends or does not deserve to go on.
func (in *inflow) read() error {
	for {
		f, err := in.stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case status.Code(err) == codes.ResourceExhausted:
			return in.service.violation("oversized", codes.ResourceExhausted, "a frame is larger than %d bytes", maxFrame)
		case err != nil:
			return err
		case proto.Size(f) > maxFrame:
			return in.service.violation("oversized", codes.ResourceExhausted, "a frame is larger than %d bytes", maxFrame)
		}
		if err := in.hear(f); err != nil {
			return err
		}
		in.quiet.Reset(silence)
	}
}

// hear takes in a frame, and sends back what comes of it.
func (in *inflow) hear(f *seatpb.Frame) error {
	writes, greeted := in.back.arrives(f), in.from != nil
	if err := in.take(in.stream.Context(), f); err != nil {
		return err
	}
	if !greeted {
		in.back.attach(in.from.Address)
	}
	if writes {
		return in.back.write()
	}
	return nil
}

package seat

import (
	"context"
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
	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

const (
	maxStreams = 10_000          // that others have opened
	greeting   = 5 * time.Second // for the first frame
	silence    = 2 * idleAfter   // of a node that would have closed its stream
)

// listener is a Seat as its Service sees it. Its methods are called concurrently.
type listener interface {
	// greets checks who says that it is a member of this cluster.
	greets(ctx context.Context, h *seatpb.Hello) error
	// hears takes in a message for the member to, and says what is wrong with
	// it.
	hears(from *sealedview.Member, to string, f *seatpb.Frame) error
}

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
	listener
	service *Service
	over    chan struct{} // closed when the Seat has ended
	work    sync.WaitGroup
	inflows map[string]*inflow // by the sender's address; guarded by Service.mu
}

// NewService returns a Service for the gRPC server of one node.
func NewService() *Service { return &Service{rejected: make(map[string]int)} }

// Desc is what a gRPC server has to register the Service by.
func (s *Service) Desc() *grpc.ServiceDesc { return &seatpb.Seat_ServiceDesc }

// open has a Seat listen, until close.
func (s *Service) open(l listener) (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session != nil {
		return nil, errors.New("seat: another seat uses the service; make a new one for each node")
	}
	s.session = &session{listener: l, service: s, over: make(chan struct{}), inflows: make(map[string]*inflow)}
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
	in := &inflow{session: u, stream: stream, superseded: make(chan struct{}), quiet: time.NewTimer(greeting)}
	defer in.quiet.Stop()
	ended := make(chan error, 1)
	u.work.Go(func() { // it ends with the stream
		err := in.read()
		in.forget()
		ended <- err
	})
	select {
	case err = <-ended:
	case <-in.quiet.C:
		err = s.violation("silent", codes.DeadlineExceeded, "nothing was heard for too long")
	case <-in.superseded:
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
	*session
	stream     seatpb.Seat_TellServer
	quiet      *time.Timer        // ends the stream
	superseded chan struct{}      // closed when the node has opened another stream
	from       *sealedview.Member // who speaks; nil before Hello
}

// read takes in frames until the stream ends or does not deserve to go on.
func (in *inflow) read() (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = in.service.violation("panic", codes.Internal, "a frame made its handler panic: %v", v)
		}
	}()
	for count := uint64(1); ; count++ {
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
		if err := in.take(f); err != nil {
			return err
		}
		if err := in.stream.Send(&seatpb.Receipt{Frames: count}); err != nil {
			return err
		}
		in.quiet.Reset(silence)
	}
}

// take takes in a frame.
func (in *inflow) take(f *seatpb.Frame) error {
	hello := f.GetHello()
	switch {
	case hello != nil:
		return in.greet(hello)
	case in.from == nil:
		return in.service.violation("no greeting", codes.InvalidArgument, "the first frame must be Hello")
	}
	in.service.received.Add(1)
	return in.hears(in.from, f.GetTo(), f)
}

// greet takes in who speaks from now on.
func (in *inflow) greet(h *seatpb.Hello) error {
	if in.from != nil && in.from.Address != h.GetAddress() {
		return in.service.violation("foreign address", codes.PermissionDenied, "%s cannot become %.100q", in.from.Address, h.GetAddress())
	}
	if err := in.greets(in.stream.Context(), h); err != nil {
		return err
	}
	if in.from == nil {
		in.supersede(h.GetAddress())
	}
	in.from = &sealedview.Member{ID: h.GetMember(), Address: h.GetAddress()}
	return nil
}

// supersede ends the stream that the node had before: its connection broke, or
// its process.
func (in *inflow) supersede(address string) {
	in.service.mu.Lock()
	defer in.service.mu.Unlock()
	if old := in.inflows[address]; old != nil {
		close(old.superseded)
	}
	in.inflows[address] = in
}

// forget is called once in has ended, and nothing reads from it any more.
func (in *inflow) forget() {
	in.service.mu.Lock()
	defer in.service.mu.Unlock()
	if in.from != nil && in.inflows[in.from.Address] == in {
		delete(in.inflows, in.from.Address)
	}
}

package seat

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/grpc/codes"

	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/seatpb"
	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

// greets implements listener.
func (s *Seat) greets(ctx context.Context, h *seatpb.Hello, dialled string) error {
	service := s.config.Service
	switch {
	case h.GetVersion() != version:
		return service.violation("wrong version", codes.FailedPrecondition,
			"the other node speaks version %d of the protocol, this node version %d; update the older", h.GetVersion(), version)
	case h.GetCluster() != s.config.Name:
		return service.violation("wrong cluster", codes.FailedPrecondition,
			"the other node belongs to cluster %.100q, this node to %q", h.GetCluster(), s.config.Name)
	case h.GetAddress() == s.config.Self.Address || h.GetMember() == s.place.Load().self:
		return service.violation("foreign address", codes.PermissionDenied,
			"the other node claims to be this node, %s", s.config.Self.Address)
	}
	if err := checkSender(h.GetMember(), h.GetAddress()); err != nil {
		return service.violation("malformed hello", codes.InvalidArgument, "%v", err)
	}
	if err := s.proves(ctx, h.GetAddress(), dialled); err != nil {
		return service.violation("foreign address", codes.PermissionDenied, "%v", err)
	}
	return nil
}

// proves checks that a node is at the address that it gives.
func (s *Seat) proves(ctx context.Context, address, dialled string) error {
	if dialled == "" {
		return s.config.Verify(ctx, address)
	}
	if address != dialled { // where TLS has verified who is there
		return fmt.Errorf("the node that was dialled at %s says that it is at %.100q", dialled, address)
	}
	return nil
}

// hears implements listener. A message for another member than this is dropped:
// it was for whoever was at this address before.
func (s *Seat) hears(from *sealedview.Member, to string, f *seatpb.Frame) error {
	service, view := s.config.Service, s.place.Load().view
	believed := view != nil && (view.Has(from.ID) || slices.Contains(view.Previous, from.ID))
	m, err := decode(f, believed, s.store.parse)
	if err != nil {
		return service.violation("malformed", codes.InvalidArgument, "a malformed frame: %v", err)
	}
	todo, outcome := s.hear(from, to, m)
	s.do(todo)
	switch outcome {
	case misdirected:
		_ = service.violation("misdirected", codes.OK, "")
	case foreign:
		return service.violation("foreign member", codes.PermissionDenied,
			"member %.100q is at another address than %s", from.ID, from.Address)
	}
	return nil
}

// outcome is what became of a message.
type outcome uint8

const (
	heard outcome = iota
	misdirected
	foreign // its sender is not the member that it says it is
)

func (s *Seat) hear(from *sealedview.Member, to string, m sealedview.Message) (errands, outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if to != s.self.ID {
		return errands{}, misdirected
	}
	if view := s.place.Load().view; view != nil {
		if known, ok := view.Member(from.ID); ok && known.Address != from.Address {
			return errands{}, foreign
		}
	}
	return s.advance(sealedview.Received{From: from, Message: m}), heard
}

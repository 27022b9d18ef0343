package seat

import (
	"context"

	"google.golang.org/grpc/codes"

	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/seatpb"
	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

// listener is a Seat as its streams see it. Its methods are called concurrently,
// and do not block.
type listener interface {
	// greets checks who says that it is a member of this cluster: ctx is of its
	// call, or else it was dialled at an address, and has proved to be there.
	greets(ctx context.Context, h *seatpb.Hello, dialled string) error
	// hears takes in a message for the member to, and says what is wrong with
	// it.
	hears(from *sealedview.Member, to string, f *seatpb.Frame) error
}

// ear takes in what another node says over one stream, whoever opened it.
type ear struct {
	listener
	service *Service           // which counts
	dialled string             // address; "" if the other node has dialled
	from    *sealedview.Member // who speaks; nil before Hello
}

// take takes in a frame. The stream ends after an error.
func (e *ear) take(ctx context.Context, f *seatpb.Frame) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = e.service.violation("panic", codes.Internal, "a frame made its handler panic: %v", v)
		}
	}()
	hello := f.GetHello()
	switch {
	case hello != nil:
		return e.greet(ctx, hello)
	case e.from == nil:
		return e.service.violation("no greeting", codes.InvalidArgument, "the first frame must be Hello")
	}
	e.service.received.Add(1)
	return e.hears(e.from, f.GetTo(), f)
}

// greet takes in who speaks from now on.
func (e *ear) greet(ctx context.Context, h *seatpb.Hello) error {
	if e.from != nil && e.from.Address != h.GetAddress() {
		return e.service.violation("foreign address", codes.PermissionDenied, "%s cannot become %.100q", e.from.Address, h.GetAddress())
	}
	if err := e.greets(ctx, h, e.dialled); err != nil {
		return err
	}
	e.from = &sealedview.Member{ID: h.GetMember(), Address: h.GetAddress()}
	return nil
}

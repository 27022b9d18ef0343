package seat

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"google.golang.org/grpc"

	"github.com/protocluster/workshop/pkg/protocluster/internal/sealedview"
)

// Config says whose seat it is, and what the seat works with.
type Config struct {
	// Name is the cluster's; nodes of other names are not listened to.
	Name string
	// Self is the node as it becomes a member. If it has to join again, its
	// id is this one with ~2, ~3 and so on behind it.
	Self sealedview.Member
	// Mode is that of a cluster which this node begins; "" means Council.
	Mode sealedview.Mode
	// Params are the same at all nodes; the zero value means Defaults.
	Params sealedview.Params
	Store  Store
	// Conflict is the error, as for errors.Is, of a Store.Write that did
	// nothing because the record has changed.
	Conflict error
	// Clash is told, unless it is nil, when the node is no member and one of
	// the members is read to host one of its kinds strictly that it does not
	// host so itself, or the other way round: they do not let it in. It is
	// called again with each read, and must not block.
	Clash func(kind string, with *sealedview.Member)
	Host  Host
	// Service takes in what other nodes send. Its gRPC server serves already,
	// and one Seat at a time uses it.
	Service *Service
	// Dial returns a connection of its own to the node at an address, without
	// waiting for it.
	Dial func(address string) (*grpc.ClientConn, error)
	// Verify reports, as an error, that the caller whose call ctx belongs to
	// has not proved that it is the node at an address. Where nobody proves
	// anything it returns nil. Who was dialled has to prove it over the
	// connection that Dial returns.
	Verify func(ctx context.Context, address string) error
	// Clock is the time; nil means the machine's.
	Clock Clock
	// Logger is told what an operator has to know; nil means nobody is.
	Logger *slog.Logger
}

// complete is c with its defaults filled in, or all that is wrong with it.
func (c Config) complete() (Config, error) {
	if c.Mode == "" {
		c.Mode = sealedview.Council
	}
	if c.Params == (sealedview.Params{}) {
		c.Params = sealedview.Defaults()
	}
	if c.Clock == nil {
		c.Clock = newMachine()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	faults := []error{c.Params.Check()}
	if err := checkSender(c.Self.ID, c.Self.Address); err != nil {
		faults = append(faults, fmt.Errorf("seat: %w", err))
	}
	if c.Mode != sealedview.Council && c.Mode != sealedview.Store {
		faults = append(faults, fmt.Errorf("seat: there is no mode %q", c.Mode))
	}
	if c.Store == nil || c.Conflict == nil || c.Host == nil || c.Service == nil || c.Dial == nil || c.Verify == nil {
		faults = append(faults, errors.New("seat: a store, its conflict, a host, a service, dial and verify are needed"))
	}
	return c, errors.Join(faults...)
}

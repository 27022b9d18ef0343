package seat_test

import (
	"context"
	"errors"
	"sync"

	"google.golang.org/grpc"

	"github.com/protocluster/workshop/pkg/protocluster/internal/seat"
)

var errConflict = errors.New("conflict")

func noDial(string) (*grpc.ClientConn, error) { return nil, errors.New("there is nobody") }

// memory is a store for one node.
type memory struct {
	mu      sync.Mutex
	data    []byte
	version uint64
}

func (m *memory) Read(context.Context) (seat.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return seat.Record{Data: m.data, Version: m.version, Revision: m.version}, nil
}

func (m *memory) Write(_ context.Context, data []byte, version uint64) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if version != m.version {
		return 0, errConflict
	}
	m.data, m.version = data, version+1
	return m.version, nil
}

func (*memory) Wait(ctx context.Context, _ seat.Record) error {
	<-ctx.Done()
	return ctx.Err()
}

func (*memory) Announce(context.Context, string, []byte) error { return nil }

func (*memory) Withdraw(context.Context) error { return nil }

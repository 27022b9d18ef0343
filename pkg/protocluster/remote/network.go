package remote

import (
	"context"
	"net"
)

// Network is where a node's connections come from: TCP by default, a
// simulated network in tests. Addresses are host:port. Both methods may be
// called concurrently.
type Network interface {
	// Listen accepts connections at address; port 0 picks a free one, which
	// the listener's Addr tells.
	Listen(ctx context.Context, address string) (net.Listener, error)
	// Dial connects to address or fails when ctx ends.
	Dial(ctx context.Context, address string) (net.Conn, error)
}

// TCP is the Network of the operating system.
type TCP struct{}

// Listen is net.Listen for TCP.
func (TCP) Listen(ctx context.Context, address string) (net.Listener, error) {
	return new(net.ListenConfig).Listen(ctx, "tcp", address)
}

// Dial is net.Dial for TCP.
func (TCP) Dial(ctx context.Context, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", address)
}

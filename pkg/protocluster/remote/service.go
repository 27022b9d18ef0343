package remote

import (
	"context"
	"fmt"
	"net"

	"google.golang.org/grpc"

	"github.com/protocluster/workshop/pkg/protocluster/internal/link"
)

// Service is another gRPC service on a node's port: its description, as generated
// code has it, and an implementation. Its handlers are called by whoever reaches
// the node: with TLS, whoever shows a certificate; clients of the cluster too.
// gRPC does not recover their panics, and bounds a message by
// Config.MaxMessageBytes; its messages are protobuf. Stop waits for them, after their contexts have ended.
type Service = link.Service

// WithService adds a gRPC service to the node's port. A node without a listener
// has no use for it.
func WithService(desc *grpc.ServiceDesc, impl any) Option {
	return func(c *Config) { c.Services = append(c.Services, Service{Desc: desc, Impl: impl}) }
}

// Dial returns a connection of its own to the node at address, for the services
// that it has beside this package's, from the node's Network and with its TLS. It
// does not wait, and DialFilter is not asked: the connection is made by the first
// call over it, which fails if that fails. Whoever dials closes it; Stop does not.
func (r *Remote) Dial(address string) (*grpc.ClientConn, error) {
	conn, err := r.endpoint.Dial(address)
	if err != nil {
		return nil, fmt.Errorf("remote: dial %s: %w", address, err)
	}
	return conn, nil
}

// Verify reports, as an error, that whoever made a call to one of the node's
// services is not the node at address: with TLS, that its certificate is not for
// that host. Without TLS it knows no better. ctx is the one that the service's
// handler got.
func (r *Remote) Verify(ctx context.Context, address string) error {
	host, _, err := net.SplitHostPort(address)
	if err == nil {
		err = r.endpoint.Verify(ctx, host)
	}
	if err != nil {
		return fmt.Errorf("remote: the caller is not known to be the node at %q: %w", address, err)
	}
	return nil
}

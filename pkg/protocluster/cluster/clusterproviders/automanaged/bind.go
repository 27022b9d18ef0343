package automanaged

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
)

// bind opens the node's endpoint: where the configuration says, or at the first
// seed that is free on this host, or at any free port.
func (s *session) bind(ctx context.Context) (*transport, error) {
	place := s.config.Bind
	if s.provider.lease != nil {
		place = s.provider.lease()
	}
	if place != "" {
		t, err := s.listen(ctx, place)
		if err != nil {
			return nil, &BindError{place, err}
		}
		return s.reachable(ctx, t)
	}
	if !s.node.Client() {
		for _, seed := range s.config.Seeds {
			addresses, _ := resolve(ctx, s.node.Network(), seed)
			for _, a := range addresses {
				// It fails where a seed is taken, or of another host.
				if t, err := s.listen(ctx, a.String()); err == nil {
					return s.reachable(ctx, t)
				}
			}
		}
	}
	host, err := s.host(ctx)
	if err != nil {
		return nil, err
	}
	t, err := s.listen(ctx, net.JoinHostPort(host.String(), "0"))
	if err != nil && !s.node.Client() {
		t, err = s.listen(ctx, ":0") // host is not of this machine, as behind NAT
	}
	if err != nil {
		return nil, &BindError{host.String(), err}
	}
	return s.reachable(ctx, t)
}

func (s *session) listen(ctx context.Context, address string) (*transport, error) {
	return listen(ctx, s.node.Network(), address, s.node.ClusterName(), len(s.config.SecretKey) > 0)
}

// host is the address of this machine as the other nodes know it: that of the
// node's remote, or for a client, which has none, the way to the seeds.
func (s *session) host(ctx context.Context) (netip.Addr, error) {
	if s.node.Client() {
		return toward(ctx, s.node.Network(), s.config)
	}
	addresses, err := resolve(ctx, s.node.Network(), s.self.Address)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("automanaged: the node's address %s cannot be resolved; set Bind: %w", s.self.Address, err)
	}
	return addresses[0].Addr(), nil
}

// reachable gives t the address that others reach it at.
func (s *session) reachable(ctx context.Context, t *transport) (*transport, error) {
	var err error
	switch advertise := s.config.Advertise; {
	case advertise != "":
		var addresses []netip.AddrPort
		if addresses, err = resolve(ctx, s.node.Network(), advertise); err == nil {
			t.advertise = addresses[0]
		}
	case t.advertise.Addr().IsUnspecified():
		var host netip.Addr
		if host, err = s.host(ctx); err == nil && host.IsUnspecified() {
			err = errors.New("neither Bind nor the node's address say where others reach it")
		}
		t.advertise = netip.AddrPortFrom(host, t.advertise.Port())
	}
	if err != nil {
		_ = t.Shutdown() // never fails
		return nil, fmt.Errorf("automanaged: set Advertise to this machine's address and port %d: %w", t.advertise.Port(), err)
	}
	return t, nil
}

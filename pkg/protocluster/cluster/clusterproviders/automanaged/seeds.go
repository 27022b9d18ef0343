package automanaged

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

// dialTimeout bounds one dial to a seed.
const dialTimeout = 2 * time.Second

// JoinError says why a node that listens on no seed is in no cluster: none of
// the seeds let it in.
type JoinError struct {
	Cluster  string        // "" if only the seeds' addresses were tried
	Waited   time.Duration // how long they were called
	Attempts []Attempt     // the last one for each seed
}

// Attempt is one call to a seed and what came of it.
type Attempt struct {
	Seed string
	Err  error
}

func (e *JoinError) Error() string {
	var b strings.Builder
	b.WriteString("automanaged: this node listens on no seed and no seed ")
	if e.Cluster == "" {
		b.WriteString("answers")
	} else {
		fmt.Fprintf(&b, "lets it into cluster %q", e.Cluster)
	}
	fmt.Fprintf(&b, ", tried for %v: ", e.Waited.Round(10*time.Millisecond))
	for _, a := range e.Attempts {
		fmt.Fprintf(&b, "%s: %v; ", a.Seed, a.Err)
	}
	if len(e.Attempts) == 0 {
		b.WriteString("there are none; ")
	}
	b.WriteString("start a member at one of these addresses, correct the list, or add to it an address of this host with a free port")
	return b.String()
}

// Unwrap returns what came of each attempt.
func (e *JoinError) Unwrap() []error {
	var errs []error
	for _, a := range e.Attempts {
		errs = append(errs, a.Err)
	}
	return errs
}

// BindError says that a node's membership endpoint cannot listen where it was
// told to.
type BindError struct {
	Address string
	Err     error
}

func (e *BindError) Error() string {
	return fmt.Sprintf("automanaged: the membership endpoint cannot listen on %s: %v; choose a free port of this host, or port 0 for any",
		e.Address, e.Err)
}

func (e *BindError) Unwrap() error { return e.Err }

// reach returns nil if the node could be the one that listens on a seed, or
// once a seed answers.
func reach(ctx context.Context, network remote.Network, c Config) error {
	if len(c.Seeds) == 0 {
		return nil
	}
	if c.Bind == "" {
		for _, seed := range c.Seeds {
			if l, err := network.Listen(ctx, seed); err == nil {
				return l.Close()
			}
		}
	}
	_, err := toward(ctx, network, c)
	return err
}

// toward calls the seeds until one answers, and returns the address of this
// host from which it was reached.
func toward(ctx context.Context, network remote.Network, c Config) (netip.Addr, error) {
	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, c.JoinTimeout)
	defer cancel()
	for {
		failed := &JoinError{}
		for _, seed := range c.Seeds {
			local, err := dial(ctx, network, seed)
			if err == nil {
				return local, nil
			}
			failed.Attempts = append(failed.Attempts, Attempt{seed, err})
		}
		select {
		case <-time.After(c.JoinRetry):
		case <-ctx.Done():
			failed.Waited = time.Since(start)
			return netip.Addr{}, failed
		}
	}
}

func dial(ctx context.Context, network remote.Network, address string) (netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := network.Dial(ctx, address)
	if err != nil {
		return netip.Addr{}, err
	}
	defer conn.Close()
	local, err := addrPort(conn.LocalAddr())
	return local.Addr(), err
}

// resolve returns what host:port stands for. Only the operating system's
// network has names for addresses, and a name that has any of IPv4 means those:
// all endpoints have to be of one family, for the sake of UDP.
func resolve(ctx context.Context, network remote.Network, address string) ([]netip.AddrPort, error) {
	host, digits, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(digits, 10, 16)
	if err != nil {
		return nil, err
	}
	ips := make([]netip.Addr, 1)
	if ips[0], err = netip.ParseAddr(host); err != nil {
		if !isTCP(network) {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		if ips, err = net.DefaultResolver.LookupNetIP(ctx, "ip", host); err != nil {
			return nil, err
		}
	}
	if slices.ContainsFunc(ips, isIPv4) {
		ips = slices.DeleteFunc(ips, func(ip netip.Addr) bool { return !isIPv4(ip) })
	}
	var found []netip.AddrPort
	for _, ip := range ips {
		found = append(found, netip.AddrPortFrom(ip.Unmap(), uint16(port)))
	}
	return found, nil
}

func isIPv4(ip netip.Addr) bool { return ip.Unmap().Is4() }

// addrPort reads the address of a listener or a connection.
func addrPort(a net.Addr) (netip.AddrPort, error) {
	p, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("automanaged: memberlist needs IP addresses, not %q: %w", a, err)
	}
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port()), nil
}

func isTCP(network remote.Network) bool {
	switch network.(type) {
	case remote.TCP, *remote.TCP:
		return true
	}
	return false
}

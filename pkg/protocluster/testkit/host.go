package testkit

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// dialTimeout ends a dial that nobody answers, as Linux does after six
// retransmissions.
const dialTimeout = 127 * time.Second

// Host is what one process sees of a Network: a remote.Network whose
// connections come from and go to the machine of its name. It lasts until Kill
// or Crash; Network.Host then gives out the next one. Its methods may be called
// concurrently.
type Host struct {
	network *Network
	machine *machine

	gone      bool // guarded by network.mu, as is all below
	conns     map[*conn]bool
	listeners map[*listener]bool
}

// Name is the host's name, which is the first half of its addresses.
func (h *Host) Name() string { return h.machine.name }

// Listen accepts connections at address, whose host is h's name or one that
// means the own host: "", "127.0.0.1", "localhost", "0.0.0.0". Port 0 picks a
// free one. The listener's Addr has h's name in it, so others can dial it.
func (h *Host) Listen(ctx context.Context, address string) (net.Listener, error) {
	name, port, err := h.resolve(address)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, fault("listen", address, err)
	}
	h.network.mu.Lock()
	defer h.network.mu.Unlock()
	m := h.machine
	if port == 0 {
		port = m.pick()
	}
	switch {
	case h.gone:
		return nil, fault("listen", address, errGone)
	case name != m.name:
		return nil, fault("listen", address, os.NewSyscallError("bind", syscall.EADDRNOTAVAIL))
	case m.listeners[port] != nil:
		return nil, fault("listen", address, os.NewSyscallError("bind", syscall.EADDRINUSE))
	}
	l := &listener{host: h, addr: addr{name, port}, changed: sync.NewCond(&h.network.mu)}
	m.listeners[port] = l
	h.listeners[l] = true
	return l, nil
}

// Dial connects to address, where a host that is empty or a loopback name means
// h's own. It blocks for a round trip; while nothing comes back, until ctx ends
// or two minutes passed.
func (h *Host) Dial(ctx context.Context, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	name, port, err := h.resolve(address)
	if err != nil {
		return nil, fault("dial", address, err)
	}
	h.network.mu.Lock()
	defer h.network.mu.Unlock()
	if h.gone {
		return nil, fault("dial", address, errGone)
	}
	c := connect(h, h.network.machine(name), port)
	defer context.AfterFunc(ctx, func() {
		h.network.mu.Lock()
		defer h.network.mu.Unlock()
		c.changed.Broadcast()
	})()
	for asked := false; ; {
		switch {
		case c.state == closed:
			return nil, fault("dial", address, errGone)
		case c.state == broken:
			return nil, fault("dial", address, os.NewSyscallError("connect", c.cause))
		case ctx.Err() != nil:
			c.out.drop()
			c.end(closed)
			return nil, fault("dial", address, ctx.Err())
		case h.machine.paused:
		case c.state == open:
			return c, nil
		case !asked:
			asked = true
			c.out.send(segment{kind: syn})
			continue // it may be answered already
		}
		c.changed.Wait()
	}
}

// resolve splits address and replaces the names of the own host.
func (h *Host) resolve(address string) (name string, port int, err error) {
	name, digits, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	number, err := strconv.ParseUint(digits, 10, 16)
	if err != nil {
		return "", 0, &net.AddrError{Err: "port is not a number from 0 to 65535", Addr: address}
	}
	if canonical(name) == loopback {
		name = h.machine.name
	}
	return name, int(number), nil
}

// end takes away all that the process had.
func (h *Host) end() {
	h.gone = true
	for l := range h.listeners {
		l.end()
	}
	for c := range h.conns {
		c.abort()
	}
}

var errGone = fmt.Errorf("the host was killed or has crashed; Network.Host gives its successor: %w", net.ErrClosed)

func fault(op, address string, err error) error {
	return fmt.Errorf("testkit: %s %s: %w", op, address, err)
}

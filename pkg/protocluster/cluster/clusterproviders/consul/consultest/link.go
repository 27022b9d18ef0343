package consultest

import (
	"bytes"
	"context"
	"net"
	"os"
	"sync"
	"syscall"

	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

// Link is one node's Network with faults, before a Consul that is a fake or a
// real one. Its methods may be called concurrently.
type Link struct {
	remote.Network

	mu     sync.Mutex
	healed chan struct{} // nil while nothing is cut; then closed by Heal
	losing bool          // the next transaction's answer
}

// Cut lets nothing pass, in silence, until Heal.
func (l *Link) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.healed == nil {
		l.healed = make(chan struct{})
	}
}

// Heal undoes Cut.
func (l *Link) Heal() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.healed != nil {
		close(l.healed)
		l.healed = nil
	}
}

// LoseAnswer breaks the connection of the next transaction once its answer is
// there.
func (l *Link) LoseAnswer() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.losing = true
}

// Dial implements remote.Network.
func (l *Link) Dial(ctx context.Context, address string) (net.Conn, error) {
	if err := l.pass(ctx.Done()); err != nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: ctx.Err()}
	}
	conn, err := l.Network.Dial(ctx, address)
	if err != nil {
		return nil, err
	}
	return &linked{Conn: conn, link: l, closed: make(chan struct{})}, nil
}

// pass waits until nothing is cut, or until given up.
func (l *Link) pass(end <-chan struct{}) error {
	for {
		l.mu.Lock()
		healed := l.healed
		l.mu.Unlock()
		if healed == nil {
			return nil
		}
		select {
		case <-healed:
		case <-end:
			return net.ErrClosed
		}
	}
}

// linked is a connection over a Link.
type linked struct {
	net.Conn

	link   *Link
	once   sync.Once
	closed chan struct{}

	mu   sync.Mutex
	lost bool // what comes now
}

// Write implements net.Conn.
func (c *linked) Write(p []byte) (int, error) {
	if err := c.link.pass(c.closed); err != nil {
		return 0, err
	}
	if bytes.HasPrefix(p, []byte("PUT /v1/txn")) {
		c.link.mu.Lock()
		lost := c.link.losing
		c.link.losing = false
		c.link.mu.Unlock()
		c.mu.Lock()
		c.lost = lost
		c.mu.Unlock()
	}
	return c.Conn.Write(p)
}

// Read implements net.Conn.
func (c *linked) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err := c.link.pass(c.closed); err != nil {
		return 0, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lost {
		_ = c.Close()
		return 0, &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	}
	return n, err
}

// Close implements net.Conn.
func (c *linked) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

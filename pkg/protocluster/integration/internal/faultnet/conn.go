package faultnet

import (
	"net"
	"os"
	"sync"
	"time"
)

// conn is a connection that was dialled.
type conn struct {
	net.Conn

	network *Network
	address string
	once    sync.Once
	closed  chan struct{}
	writes  deadline
	reads   deadline

	held arrival // what came while In was cut; owned by whoever reads
}

// arrival is what a Read got that nobody has been told yet.
type arrival struct {
	data []byte
	err  error
}

// Write implements net.Conn.
func (c *conn) Write(p []byte) (int, error) {
	if !c.network.pass(c.address, Out, c.closed, c.writes.expired()) {
		return 0, c.stopped("write")
	}
	return c.Conn.Write(p)
}

// Read implements net.Conn. What comes while the direction is cut is held.
func (c *conn) Read(p []byte) (int, error) {
	if c.held.data == nil && c.held.err == nil {
		n, err := c.Conn.Read(p)
		if c.network.pass(c.address, In, c.closed, c.reads.expired()) {
			return n, err
		}
		c.held = arrival{append([]byte(nil), p[:n]...), err}
		return 0, c.stopped("read")
	}
	if !c.network.pass(c.address, In, c.closed, c.reads.expired()) {
		return 0, c.stopped("read")
	}
	n := copy(p, c.held.data)
	if c.held.data = c.held.data[n:]; len(c.held.data) > 0 {
		return n, nil
	}
	err := c.held.err
	c.held = arrival{}
	return n, err
}

// stopped is why a call was given up that a cut held.
func (c *conn) stopped(op string) error {
	err := os.ErrDeadlineExceeded
	select {
	case <-c.closed:
		err = net.ErrClosed
	default:
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.once.Do(func() { close(c.closed) })
	c.reads.set(time.Time{})
	c.writes.set(time.Time{})
	return c.Conn.Close()
}

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error {
	c.reads.set(t)
	c.writes.set(t)
	return c.Conn.SetDeadline(t)
}

// SetReadDeadline implements net.Conn.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.reads.set(t)
	return c.Conn.SetReadDeadline(t)
}

// SetWriteDeadline implements net.Conn.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.writes.set(t)
	return c.Conn.SetWriteDeadline(t)
}

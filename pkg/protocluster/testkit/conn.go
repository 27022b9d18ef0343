package testkit

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// state is how far an end of a connection has come.
type state uint8

const (
	unborn  state = iota // the end that is dialled, before the dial arrived
	opening              // the handshake is under way
	open
	closed // by its owner, or with its process or machine
	broken // by the other side or by the network
)

// conn is one end of a connection, a net.Conn. The network's lock guards it,
// and whatever waits does so on changed, so that a bubble's time may pass.
type conn struct {
	host          *Host // nil while unborn
	machine       *machine
	listener      *listener // of the end that is dialled
	peer          *conn
	local, remote addr
	in, out       *flow

	mu      *sync.Mutex // the network's
	changed *sync.Cond  // on mu
	state   state
	cause   error // of broken
	writing bool  // a Write is half done
	readBy  deadline
	writeBy deadline
}

// connect makes both ends of a connection that host is about to ask for.
func connect(h *Host, to *machine, port int) *conn {
	n, m := h.network, h.machine
	there, back := n.link(Route{m.name, to.name}), n.link(Route{to.name, m.name})
	there.dials++
	c := &conn{host: h, machine: m, state: opening, mu: &n.mu, changed: sync.NewCond(&n.mu)}
	s := &conn{machine: to, peer: c, mu: &n.mu, changed: sync.NewCond(&n.mu)}
	c.peer = s
	c.local, c.remote = addr{m.name, m.pick()}, addr{to.name, port}
	s.local, s.remote = c.remote, c.local
	c.out = &flow{link: there, from: c, to: s, key: there.key(there.dials)}
	s.out = &flow{link: back, from: s, to: c, key: back.key(-there.dials)} // negative: not one dialled from there
	c.in, s.in = s.out, c.out
	there.flows = append(there.flows, c.out)
	back.flows = append(back.flows, s.out)
	h.conns[c] = true
	return c
}

// greet answers a dial that arrived.
func (c *conn) greet(l *listener) {
	if l == nil {
		c.out.send(segment{kind: rst})
		return
	}
	c.host, c.listener, c.state = l.host, l, opening
	c.host.conns[c] = true
	c.out.send(segment{kind: synack})
}

// granted completes the handshake at the end that dialled.
func (c *conn) granted() {
	if c.state != opening {
		c.out.send(segment{kind: rst})
		return
	}
	c.state = open
	c.out.send(segment{kind: ack})
}

// offered completes the handshake at the end that was dialled.
func (c *conn) offered() {
	if c.state != opening {
		c.out.send(segment{kind: rst})
		return
	}
	c.state = open
	if c.listener.closed {
		c.abort()
		return
	}
	c.listener.backlog = append(c.listener.backlog, c)
	c.listener.changed.Broadcast()
}

// reset breaks this end, as the other side or the network says.
func (c *conn) reset() {
	if c.over() {
		return
	}
	c.cause = syscall.ECONNRESET
	if c.state == opening {
		c.cause = syscall.ECONNREFUSED
	}
	c.out.drop()
	c.end(broken)
}

// abort closes this end the way a killed process does: what had not left the
// machine is lost, and the other side is told if the link lets it be.
func (c *conn) abort() {
	switch {
	case c.over():
	case c.out.link.open() && !c.machine.down:
		c.out.send(segment{kind: rst})
	default:
		c.out.drop()
	}
	c.end(closed)
}

func (c *conn) over() bool { return c.state == unborn || c.state >= closed }

// end puts this end into its state for good. The connection is over, and its
// flows with it, when both ends are.
func (c *conn) end(s state) {
	c.state = s
	if s == closed { // a broken end may still be read
		delete(c.host.conns, c)
		c.readBy.stop()
		c.writeBy.stop()
		c.in.discard()
	}
	if c.peer.over() {
		c.in.finish()
		c.out.finish()
	}
	c.changed.Broadcast()
	c.peer.changed.Broadcast()
}

// Read implements net.Conn.
func (c *conn) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case c.state == closed:
			return 0, c.fault("read", net.ErrClosed)
		case c.readBy.passed():
			return 0, c.fault("read", os.ErrDeadlineExceeded)
		case len(p) == 0:
			return 0, nil
		case c.machine.paused:
		case len(c.in.arrived) > 0:
			return c.in.take(p), nil
		case c.in.ended:
			return 0, io.EOF
		case c.state == broken:
			return 0, c.fault("read", c.cause)
		}
		c.changed.Wait()
	}
}

// Write implements net.Conn. It blocks while the window is full.
func (c *conn) Write(p []byte) (written int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for mine := false; ; {
		switch {
		case mine && written == len(p):
		case c.state == closed:
			err = net.ErrClosed
		case c.state == broken:
			err = c.cause
		case c.writeBy.passed():
			err = os.ErrDeadlineExceeded
		}
		if err != nil || written == len(p) {
			c.writing = c.writing && !mine
			c.changed.Broadcast()
			return written, c.fault("write", err)
		}
		room := c.out.room()
		if c.machine.paused || c.writing && !mine || room <= 0 {
			c.changed.Wait()
			continue
		}
		c.writing, mine = true, true
		chunk := p[written:min(len(p), written+room)]
		c.out.send(segment{kind: data, data: bytes.Clone(chunk)})
		written += len(chunk)
	}
}

// Close implements net.Conn. What was written still arrives, then the end.
func (c *conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.state {
	case closed:
		return c.fault("close", net.ErrClosed)
	case opening:
		c.out.drop()
	case open:
		c.out.send(segment{kind: fin})
	}
	c.end(closed)
	return nil
}

// LocalAddr implements net.Conn.
func (c *conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn.
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error {
	return c.setDeadline(t, &c.readBy, &c.writeBy)
}

// SetReadDeadline implements net.Conn.
func (c *conn) SetReadDeadline(t time.Time) error { return c.setDeadline(t, &c.readBy) }

// SetWriteDeadline implements net.Conn.
func (c *conn) SetWriteDeadline(t time.Time) error { return c.setDeadline(t, &c.writeBy) }

func (c *conn) setDeadline(t time.Time, deadlines ...*deadline) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == closed {
		return c.fault("set", net.ErrClosed)
	}
	for _, d := range deadlines {
		d.set(t, c.changed)
	}
	return nil
}

func (c *conn) fault(op string, err error) error {
	if err == nil {
		return nil
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		err = os.NewSyscallError(op, errno)
	}
	return &net.OpError{Op: op, Net: c.local.Network(), Source: c.local, Addr: c.remote, Err: err}
}

// deadline is one of a connection's two.
type deadline struct {
	at    time.Time // zero is never
	timer *time.Timer
	rang  bool // even if the wall clock was set back meanwhile
}

// passed asks the clock too: two timers of one instant go off in any order.
func (d *deadline) passed() bool {
	return d.rang || !d.at.IsZero() && time.Until(d.at) <= 0
}

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
	}
	*d = deadline{}
}

// set is called with changed.L held, which the timer takes too.
func (d *deadline) set(t time.Time, changed *sync.Cond) {
	d.stop()
	d.at = t
	changed.Broadcast()
	if t.IsZero() || d.passed() {
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(time.Until(t), func() {
		changed.L.Lock()
		defer changed.L.Unlock()
		if d.timer == timer {
			d.rang = true
			changed.Broadcast()
		}
	})
	d.timer = timer
}

package testkit

import (
	"net"
	"strconv"
	"sync"
)

// listener is a net.Listener of a Host. The network's lock guards it.
type listener struct {
	host    *Host
	addr    addr
	changed *sync.Cond
	backlog []*conn
	closed  bool
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	l.changed.L.Lock()
	defer l.changed.L.Unlock()
	for !l.closed && (len(l.backlog) == 0 || l.host.machine.paused) {
		l.changed.Wait()
	}
	if l.closed {
		return nil, fault("accept", l.addr.String(), net.ErrClosed)
	}
	c := l.backlog[0]
	l.backlog = l.backlog[1:]
	return c, nil
}

// Close implements net.Listener. Connections that nobody accepted are reset.
func (l *listener) Close() error {
	l.changed.L.Lock()
	defer l.changed.L.Unlock()
	if l.closed {
		return fault("close", l.addr.String(), net.ErrClosed)
	}
	l.end()
	return nil
}

// Addr is the host's name and the port.
func (l *listener) Addr() net.Addr { return l.addr }

func (l *listener) end() {
	l.closed = true
	delete(l.host.listeners, l)
	delete(l.host.machine.listeners, l.addr.port)
	for _, c := range l.backlog {
		c.abort()
	}
	l.changed.Broadcast()
}

// addr is a net.Addr: a host's name and a port.
type addr struct {
	name string
	port int
}

func (addr) Network() string { return "sim" }

func (a addr) String() string { return net.JoinHostPort(a.name, strconv.Itoa(a.port)) }

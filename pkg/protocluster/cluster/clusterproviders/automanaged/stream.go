package automanaged

import (
	"net"
	"sync"
)

// stream is a connection that Shutdown breaks.
type stream struct {
	net.Conn
	t    *transport
	once sync.Once
}

// track returns conn as a stream; nil, with conn closed, if there are too many
// or none any more.
func (t *transport) track(conn net.Conn) *stream {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.conns == nil || len(t.conns) >= maxConns {
		_ = conn.Close()
		return nil
	}
	s := &stream{Conn: conn, t: t}
	t.conns[s] = true
	t.users.Add(1)
	return s
}

// Write implements net.Conn. A stream that cannot be written is of no use, and
// memberlist forgets to close it if that is so from the start.
func (s *stream) Write(p []byte) (int, error) {
	n, err := s.Conn.Write(p)
	if err != nil {
		_ = s.Close()
	}
	return n, err
}

// Close implements net.Conn.
func (s *stream) Close() error {
	err := s.Conn.Close()
	s.once.Do(func() {
		s.t.mu.Lock()
		delete(s.t.conns, s)
		s.t.mu.Unlock()
		s.t.users.Done()
	})
	return err
}

package automanaged

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

const (
	maxPacket   = 64 << 10
	queue       = 64               // packets that wait for a line
	lineTimeout = time.Second      // to dial a line, or to write a packet to it
	lineIdle    = 10 * time.Second // after which a line is closed
)

// datagrams are packets over UDP, at the port of the listener.
type datagrams struct {
	conn *net.UDPConn
	t    *transport
}

// listenUDP listens at address for connections and packets.
func listenUDP(ctx context.Context, network remote.Network, address string, t *transport) (net.Listener, packets, error) {
	const attempts = 10 // any port that is free for TCP may be taken for UDP
	for i := 1; ; i++ {
		l, err := network.Listen(ctx, address)
		if err != nil {
			return nil, nil, err
		}
		at, err := addrPort(l.Addr())
		if err != nil {
			return nil, nil, errors.Join(err, l.Close())
		}
		conn, err := new(net.ListenConfig).ListenPacket(ctx, "udp", at.String())
		if err == nil {
			d := &datagrams{conn.(*net.UDPConn), t}
			_ = d.conn.SetReadBuffer(1 << 20) // a smaller one is no fault
			t.tasks.Go(d.receive)
			return l, d, nil
		}
		_ = l.Close()
		if want, _ := netip.ParseAddrPort(address); want.Port() != 0 || i == attempts {
			return nil, nil, err
		}
	}
}

// receive reads packets until the socket is closed.
func (d *datagrams) receive() {
	buffer := make([]byte, maxPacket)
	for {
		n, from, err := d.conn.ReadFromUDPAddrPort(buffer)
		switch {
		case err == nil:
			d.t.arrived(append([]byte(nil), buffer[:n]...), net.UDPAddrFromAddrPort(from))
		case d.t.open.Err() != nil:
			return
		default:
			d.t.pause(50 * time.Millisecond)
		}
	}
}

func (d *datagrams) send(packet []byte, to string) error {
	at, err := netip.ParseAddrPort(to)
	if err == nil {
		_, err = d.conn.WriteToUDPAddrPort(packet, at)
	}
	return err
}

func (d *datagrams) close() { _ = d.conn.Close() }

// lines are packets over connections of a Network without packets, one for
// each node that is sent to. A frame is its length in four bytes, then the
// packet: the first byte is 0, which no stream begins with.
type lines struct {
	t *transport

	mu   sync.Mutex
	open map[string]chan []byte // guarded by mu; nil after close
}

func (l *lines) send(packet []byte, to string) error {
	frame := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(packet)), uint32(len(packet)))
	frame = append(frame, packet...)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open == nil {
		return errShutdown
	}
	line := l.open[to]
	if line == nil {
		line = make(chan []byte, queue)
		l.open[to] = line
		l.t.tasks.Go(func() { l.run(to, line) })
	}
	select {
	case line <- frame:
	default: // lost, as a packet may be
	}
	return nil
}

// run writes what comes on line until the line fails or is idle. What is
// queued then is lost.
func (l *lines) run(to string, line chan []byte) {
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.open, to)
	}()
	ctx, cancel := context.WithTimeout(l.t.open, lineTimeout)
	dialled, err := l.t.network.Dial(ctx, to)
	cancel()
	if err != nil {
		return
	}
	conn := l.t.track(dialled)
	if conn == nil {
		return
	}
	defer conn.Close()
	for {
		select {
		case frame := <-line:
			_ = conn.SetWriteDeadline(time.Now().Add(lineTimeout))
			if _, err := conn.Write(frame); err != nil {
				return
			}
		case <-time.After(lineIdle):
			return
		case <-l.t.open.Done():
			return
		}
	}
}

// receive reads the frames of a line until it ends.
func (l *lines) receive(conn net.Conn) {
	defer conn.Close()
	var header [4]byte
	for {
		_ = conn.SetReadDeadline(time.Now().Add(2 * lineIdle)) // it would have been closed before
		if _, err := io.ReadFull(conn, header[:]); err != nil {
			return
		}
		size := binary.BigEndian.Uint32(header[:])
		if size == 0 || size > maxPacket {
			return
		}
		packet := make([]byte, size)
		if _, err := io.ReadFull(conn, packet); err != nil {
			return
		}
		l.t.arrived(packet, conn.RemoteAddr())
	}
}

func (l *lines) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = nil
}

package automanaged

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

const (
	streamTimeout = 2 * time.Second // of one exchange of state, and of dialling for it
	maxConns      = 1024            // open at once; more are refused
)

var errShutdown = errors.New("automanaged: the membership endpoint has shut down")

// foreign begins what an endpoint answers to a node of another cluster.
const foreign = "it belongs to cluster "

// transport is memberlist's Transport over a node's Network: streams are its
// connections, packets go over UDP if the Network is the operating system's, or
// else framed over connections that are kept. In difference to memberlist's
// own it says what is wrong to a node of another cluster, and its Shutdown
// breaks what is under way and waits for it.
type transport struct {
	network   remote.Network
	label     string // the cluster's name, in front of every stream and packet
	secret    bool   // strangers are not told the label
	advertise netip.AddrPort
	listener  net.Listener
	packets   packets
	inbox     chan *memberlist.Packet
	streams   chan net.Conn
	open      context.Context //nolint:containedctx // ends with Shutdown; memberlist's Transport has no contexts
	close     context.CancelFunc
	tasks     sync.WaitGroup // the goroutines that run here
	users     sync.WaitGroup // the connections that memberlist has not closed

	mu    sync.Mutex
	conns map[*stream]bool // guarded by mu; nil after Shutdown
	sent  time.Time        // guarded by mu: when the last packet was
}

// packets is how packets travel. Methods may be called concurrently.
type packets interface {
	send(packet []byte, to string) error // does not block; the packet may be lost
	close()
}

// listen opens an endpoint at address.
func listen(ctx context.Context, network remote.Network, address, label string, secret bool) (*transport, error) {
	t := &transport{
		network: network, label: label, secret: secret,
		inbox: make(chan *memberlist.Packet), streams: make(chan net.Conn), conns: map[*stream]bool{},
	}
	t.open, t.close = context.WithCancel(context.WithoutCancel(ctx))
	var err error
	if isTCP(network) {
		t.listener, t.packets, err = listenUDP(ctx, network, address, t)
	} else {
		t.packets = &lines{t: t, open: map[string]chan []byte{}}
		t.listener, err = network.Listen(ctx, address)
	}
	if err != nil {
		t.close()
		return nil, err
	}
	if t.advertise, err = addrPort(t.listener.Addr()); err != nil {
		t.close()
		return nil, errors.Join(err, t.listener.Close())
	}
	t.tasks.Go(t.accept)
	return t, nil
}

// accept takes connections until the listener is closed.
func (t *transport) accept() {
	for {
		conn, err := t.listener.Accept()
		switch {
		case err == nil:
			if s := t.track(conn); s != nil {
				t.tasks.Go(func() { t.greet(s) })
			}
		case t.open.Err() != nil:
			return
		default: // out of file descriptors, say
			t.pause(50 * time.Millisecond)
		}
	}
}

// greet finds out what a connection is for.
func (t *transport) greet(s *stream) {
	_ = s.SetDeadline(time.Now().Add(streamTimeout))
	conn, label, err := memberlist.RemoveLabelHeaderFromStream(s)
	lines, framed := t.packets.(*lines)
	switch {
	case err != nil:
		_ = s.Close()
	case label == t.label:
		select {
		case t.streams <- conn: // its user closes it
		case <-t.open.Done():
			_ = s.Close()
		}
	case label == "" && framed:
		_ = s.SetDeadline(time.Time{})
		lines.receive(conn)
	default:
		if !t.secret {
			_, _ = s.Write(refusal(fmt.Sprintf("%s%q", foreign, t.label)))
			_, _ = io.Copy(io.Discard, io.LimitReader(s, maxPacket)) // closing before would take the answer back
		}
		_ = s.Close()
	}
}

// refusal is memberlist's errResp in MessagePack: {"Error": text}.
func refusal(text string) []byte {
	const errMsg, mapOf1, str5, str16 = 13, 0x81, 0xa5, 0xda
	b := append([]byte{errMsg, mapOf1, str5}, "Error"...)
	b = append(b, str16, byte(len(text)>>8), byte(len(text)))
	return append(b, text...)
}

// arrived hands a packet to memberlist if it is of this cluster.
func (t *transport) arrived(packet []byte, from net.Addr) {
	at := time.Now()
	packet, label, err := memberlist.RemoveLabelHeaderFromPacket(packet)
	if err != nil || label != t.label {
		return
	}
	select {
	case t.inbox <- &memberlist.Packet{Buf: packet, From: from, Timestamp: at}:
	case <-t.open.Done():
	}
}

// pause waits for d or Shutdown.
func (t *transport) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-t.open.Done():
	}
}

// FinalAdvertiseAddr implements memberlist.Transport.
func (t *transport) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	return t.advertise.Addr().AsSlice(), int(t.advertise.Port()), nil
}

// WriteTo implements memberlist.Transport.
func (t *transport) WriteTo(packet []byte, to string) (time.Time, error) {
	now := time.Now()
	t.mu.Lock()
	shut := t.conns == nil
	if !shut {
		t.sent = now
	}
	t.mu.Unlock()
	if shut {
		return now, errShutdown
	}
	return now, t.packets.send(packet, to)
}

// WriteToAddress implements memberlist.NodeAwareTransport.
func (t *transport) WriteToAddress(packet []byte, to memberlist.Address) (time.Time, error) {
	return t.WriteTo(packet, to.Addr)
}

// DialTimeout implements memberlist.Transport.
func (t *transport) DialTimeout(address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(t.open, timeout)
	defer cancel()
	conn, err := t.network.Dial(ctx, address)
	if err != nil {
		return nil, err
	}
	if s := t.track(conn); s != nil {
		return s, nil
	}
	return nil, errShutdown
}

// DialAddressTimeout implements memberlist.NodeAwareTransport.
func (t *transport) DialAddressTimeout(a memberlist.Address, timeout time.Duration) (net.Conn, error) {
	return t.DialTimeout(a.Addr, timeout)
}

// PacketCh implements memberlist.Transport.
func (t *transport) PacketCh() <-chan *memberlist.Packet { return t.inbox }

// StreamCh implements memberlist.Transport.
func (t *transport) StreamCh() <-chan net.Conn { return t.streams }

// Shutdown implements memberlist.Transport. It may be called twice.
func (t *transport) Shutdown() error {
	t.mu.Lock()
	conns := t.conns
	t.conns = nil
	t.mu.Unlock()
	if conns == nil {
		return nil
	}
	t.close()
	_ = t.listener.Close()
	t.packets.close()
	for s := range conns {
		_ = s.Conn.Close() // its user finds it broken, and closes s
	}
	t.tasks.Wait()
	t.users.Wait()
	return nil
}

// lastSent is when memberlist last sent a packet.
func (t *transport) lastSent() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sent
}

package remote

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/protocluster/workshop/benchmarks/internal/gen/benchpb"
	"github.com/protocluster/workshop/benchmarks/internal/mailbox"
	"github.com/protocluster/workshop/benchmarks/internal/tally"
)

// A connection begins with a byte that says what its frames are for. A frame is
// how many bytes follow, the sender, the number, each a little-endian uint32,
// and the payload.
const (
	forAsk  = 'a' // each comes back
	forTell = 't' // they are counted, and replied to with one frame at the end

	frameHeader = 12
	socketBytes = 64 << 10 // of the buffers
)

func serveTCP(ctx context.Context, _ []string, ready func(address string)) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { _ = l.Close() })
	ready(l.Addr().String())
	for {
		conn, err := l.Accept()
		if err != nil {
			return nil //nolint:nilerr // it was closed, as it should be
		}
		go func() {
			defer conn.Close()
			_ = serveConn(conn) // the other side sees what came back
		}()
	}
}

func serveConn(conn net.Conn) error {
	in, out := bufio.NewReaderSize(conn, socketBytes), bufio.NewWriterSize(conn, socketBytes)
	what, err := in.ReadByte()
	if err != nil {
		return err
	}
	c := tally.NewCounter(receivers, -1)
	var m benchpb.Item
	for {
		err := readFrame(in, &m)
		switch {
		case errors.Is(err, io.EOF) && what == forTell:
			t := tallied(c)
			return errors.Join(writeFrame(out, &benchpb.Item{From: t.Messages, Number: t.Misplaced}), out.Flush())
		case err != nil:
			return err
		case what == forTell:
			c.Count(m.From, m.Number)
			continue
		}
		err = writeFrame(out, &m)
		if in.Buffered() < frameHeader {
			err = errors.Join(err, out.Flush())
		}
		if err != nil {
			return err
		}
	}
}

// readFrame reads one into m, whose payload it reuses.
func readFrame(in *bufio.Reader, m *benchpb.Item) error {
	var header [frameHeader]byte
	if _, err := io.ReadFull(in, header[:]); err != nil {
		return err
	}
	length := int(binary.LittleEndian.Uint32(header[:])) - frameHeader + 4
	if length < 0 || length > 4<<20 {
		return fmt.Errorf("remote: a frame of %d bytes", length)
	}
	m.From, m.Number = binary.LittleEndian.Uint32(header[4:]), binary.LittleEndian.Uint32(header[8:])
	if cap(m.Payload) < length {
		m.Payload = make([]byte, length)
	}
	m.Payload = m.Payload[:length]
	_, err := io.ReadFull(in, m.Payload)
	return err
}

func writeFrame(out *bufio.Writer, m *benchpb.Item) error {
	var header [frameHeader]byte
	binary.LittleEndian.PutUint32(header[:], uint32(frameHeader-4+len(m.Payload)))
	binary.LittleEndian.PutUint32(header[4:], m.From)
	binary.LittleEndian.PutUint32(header[8:], m.Number)
	_, err := out.Write(header[:])
	if err == nil {
		_, err = out.Write(m.Payload)
	}
	return err
}

func dialTCP(ctx context.Context, address string, what byte) (*net.TCPConn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	_, err = conn.Write([]byte{what})
	return conn.(*net.TCPConn), err
}

// tcpTeller has a connection for each run.
type tcpTeller struct{ address string }

func (t tcpTeller) tell(ctx context.Context, senders, n int, payload []byte) (*benchpb.Tally, error) {
	conn, err := dialTCP(ctx, t.address, forTell)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	outbox := mailbox.New[*benchpb.Item](outboxItems)
	defer outbox.Close()
	feed(outbox, senders, n, payload)
	if err := writeAll(conn, outbox); err != nil {
		return nil, err
	}
	var m benchpb.Item
	if err := errors.Join(conn.CloseWrite(), readFrame(bufio.NewReader(conn), &m)); err != nil {
		return nil, err
	}
	return &benchpb.Tally{Messages: m.From, Misplaced: m.Number}, nil
}

func (t tcpTeller) close(context.Context) error { return nil }

// writeAll writes frames until the outbox is closed, and flushes after each run.
func writeAll(conn net.Conn, outbox *mailbox.Mailbox[*benchpb.Item]) error {
	out := bufio.NewWriterSize(conn, socketBytes)
	var run []*benchpb.Item
	for {
		if run = outbox.Swap(run[:0]); len(run) == 0 {
			return nil
		}
		for _, m := range run {
			if err := writeFrame(out, m); err != nil {
				return err
			}
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
}

// tcpCalls sends the asks of many callers in batches over one connection.
type tcpCalls struct {
	*calls
	conn net.Conn
	done sync.WaitGroup
}

func connectTCP(ctx context.Context, address string, callers int) (*tcpCalls, error) {
	conn, err := dialTCP(ctx, address, forAsk)
	if err != nil {
		return nil, err
	}
	t := &tcpCalls{calls: newCalls(callers), conn: conn}
	t.done.Go(func() { t.fail(writeAll(conn, t.outbox)) })
	t.done.Go(func() { t.fail(t.read()) })
	return t, nil
}

func (t *tcpCalls) read() error {
	in := bufio.NewReaderSize(t.conn, socketBytes)
	for {
		m := new(benchpb.Item)
		if err := readFrame(in, m); err != nil {
			return err
		}
		t.reply(m)
	}
}

func (t *tcpCalls) ask(ctx context.Context, caller int, m *benchpb.Item) (*benchpb.Item, error) {
	return t.call(ctx, caller, m)
}

func (t *tcpCalls) close(context.Context) error {
	t.outbox.Close()
	err := t.conn.Close()
	t.done.Wait()
	return err
}

// pingPong is one caller that writes and reads itself.
type pingPong struct {
	conn net.Conn
	in   *bufio.Reader
	out  *bufio.Writer
}

func connectPingPong(ctx context.Context, address string) (*pingPong, error) {
	conn, err := dialTCP(ctx, address, forAsk)
	if err != nil {
		return nil, err
	}
	return &pingPong{conn, bufio.NewReader(conn), bufio.NewWriter(conn)}, nil
}

func (p *pingPong) ask(_ context.Context, _ int, m *benchpb.Item) (*benchpb.Item, error) {
	reply := new(benchpb.Item)
	return reply, errors.Join(writeFrame(p.out, m), p.out.Flush(), readFrame(p.in, reply))
}

func (p *pingPong) close(context.Context) error { return p.conn.Close() }

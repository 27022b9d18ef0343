package remote_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/protocluster/workshop/pkg/protocluster/remote"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// wire is a connection on which a test speaks HTTP/2 by hand.
type wire struct {
	net.Conn
	*http2.Framer
}

func dialWire(t testing.TB, n *testkit.Network, address string) *wire {
	t.Helper()
	conn, err := n.Host("intruder").Dial(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	w := &wire{conn, http2.NewFramer(conn, conn)}
	w.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	return w
}

func (w *wire) greet(t testing.TB) {
	t.Helper()
	if _, err := io.WriteString(w, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.WriteSettings(), w.WriteSettingsAck()); err != nil {
		t.Fatal(err)
	}
}

// open begins stream id with the headers of a call, and more.
func (w *wire) open(t testing.TB, id uint32, more ...string) {
	t.Helper()
	var block bytes.Buffer
	e := hpack.NewEncoder(&block)
	for i, all := 0, append([]string{":method", "POST", ":scheme", "http", ":path", "/protocluster.remote.Remote/Connect", ":authority", "b",
		"content-type", "application/grpc", "te", "trailers"}, more...); i < len(all); i += 2 {
		_ = e.WriteField(hpack.HeaderField{Name: all[i], Value: all[i+1]})
	}
	first, rest := block.Bytes(), []byte(nil)
	if len(first) > 16000 {
		first, rest = first[:16000], first[16000:]
	}
	_ = w.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: first, EndHeaders: len(rest) == 0})
	for len(rest) > 0 {
		n := min(len(rest), 16000)
		_ = w.WriteContinuation(id, n == len(rest), rest[:n])
		rest = rest[n:]
	}
}

// message is gRPC's framing of content, whose length may be a lie.
func message(compressed byte, length uint32, content string) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{compressed}, length), content...)
}

// ending reads until stream id or the connection ends and says how.
func (w *wire) ending(id uint32) string {
	_ = w.SetReadDeadline(time.Now().Add(10 * time.Minute))
	for {
		f, err := w.ReadFrame()
		switch f := f.(type) {
		case *http2.MetaHeadersFrame:
			if f.StreamID == id && f.StreamEnded() {
				var all []string
				for _, h := range f.Fields {
					all = append(all, h.Name+"="+h.Value)
				}
				return strings.Join(all, " ")
			}
		case *http2.RSTStreamFrame:
			if f.StreamID == id {
				return "reset " + f.ErrCode.String()
			}
		case *http2.GoAwayFrame:
			return "goaway " + f.ErrCode.String()
		}
		if err != nil {
			return err.Error()
		}
	}
}

// What is wrong below the protocol never gets far, and costs no other peer.
func TestBadHTTP(t *testing.T) {
	streams := uint32(20_000)
	if testing.Short() {
		streams = 5_000
	}
	for _, row := range []struct {
		name   string
		act    func(t *testing.T, w *wire)
		want   []string // one of them is how it ends
		within time.Duration
	}{
		{"silence", func(*testing.T, *wire) {}, []string{"EOF", "reset"}, 6 * time.Second},
		{"half a preface", func(_ *testing.T, w *wire) { _, _ = io.WriteString(w, http2.ClientPreface[:10]) }, []string{"EOF", "reset"}, 6 * time.Second},
		{"noise", func(_ *testing.T, w *wire) { _, _ = io.WriteString(w, strings.Repeat("noise", 100)) }, []string{"EOF", "reset"}, time.Second},
		{"slow headers", func(t *testing.T, w *wire) {
			w.greet(t)
			_ = w.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0x83}})
		}, []string{"EOF", "goaway"}, 3 * time.Minute},
		{"idle connection", func(t *testing.T, w *wire) { w.greet(t) }, []string{"goaway"}, 3 * time.Minute},
		{"huge headers", func(t *testing.T, w *wire) { w.greet(t); w.open(t, 1, "x", strings.Repeat("x", 100_000)) },
			[]string{"reset", "goaway", "EOF"}, time.Second},
		{"message of 4 GiB", func(t *testing.T, w *wire) {
			w.greet(t)
			w.open(t, 1)
			_ = w.WriteData(1, false, message(0, 1<<32-1, "x"))
		}, []string{"grpc-status=8 grpc-message=grpc: received message larger than max"}, time.Second},
		{"compressed bomb", func(t *testing.T, w *wire) {
			w.greet(t)
			w.open(t, 1, "grpc-encoding", "gzip")
			_ = w.WriteData(1, false, message(1, 4, "bomb"))
		}, []string{"Decompressor is not installed for grpc-encoding \"gzip\""}, time.Second},
		{"unknown method", func(t *testing.T, w *wire) { w.greet(t); w.open(t, 1, ":path", "/x") }, []string{"reset PROTOCOL_ERROR", "goaway", "EOF"}, time.Second},
		{"rapid reset", func(t *testing.T, w *wire) {
			w.greet(t)
			go func() { // it answers, and nobody may block
				_, _ = io.Copy(io.Discard, w.Conn)
			}()
			for id := uint32(1); id < streams; id += 2 {
				w.open(t, id)
				_ = w.WriteRSTStream(id, http2.ErrCodeCancel)
			}
			testkit.Advance(time.Second)
			_ = w.Close()
		}, []string{"closed"}, 2 * time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, n *testkit.Network) {
				healthy, b := start(t, on(n, "healthy")), start(t, on(n, "b"))
				b.echo(t, "echo")
				w, begin := dialWire(t, n, b.Address()), time.Now()
				row.act(t, w)
				got, ok := w.ending(1), false
				for _, want := range row.want {
					ok = ok || strings.Contains(got, want)
				}
				if took := time.Since(begin); !ok || took > row.within {
					t.Errorf("ended with %q after %v, want %q within %v", got, took, row.want, row.within)
				}
				if got, err := healthy.ask(t, b.at("echo"), 1, time.Second); got != 1 || err != nil {
					t.Errorf("a healthy peer got %v, %v, want 1", got, err)
				}
			})
		})
	}
}

// A listener of another protocol is no reason to wait for ever.
func TestDialledNodeIsNoNode(t *testing.T) {
	bubble(t, func(t *testing.T, n *testkit.Network) {
		l, err := n.Host("web").Listen(t.Context(), ":80")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
				defer c.Close()
			}
		}()
		a := start(t, on(n, "a"))
		if _, err := a.Spawn(t.Context(), remote.Instance{Address: "web:80", Kind: "x"}); !errors.Is(err, remote.ErrUnreachable) {
			t.Errorf("got %v, want ErrUnreachable", err)
		}
	})
}

package faultnet_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/integration/internal/faultnet"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// pair is a connection from a node with faults to one that listens at "b:1".
type pair struct {
	*faultnet.Network

	near, far net.Conn
	listener  net.Listener
}

const there = "b:1"

func connect(t *testing.T) *pair {
	t.Helper()
	network := testkit.NewNetwork()
	p := &pair{Network: faultnet.New(network.Host("a"))}
	var err error
	if p.listener, err = network.Host("b").Listen(t.Context(), there); err != nil {
		t.Fatal(err)
	}
	p.near, p.far = p.dial(t)
	t.Cleanup(func() { _ = p.listener.Close() })
	return p
}

func (p *pair) dial(t *testing.T) (near, far net.Conn) {
	t.Helper()
	near, err := p.Dial(t.Context(), there)
	if err != nil {
		t.Fatal(err)
	}
	far, err = p.listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = near.Close(), far.Close() })
	return near, far
}

func (p *pair) cut(d faultnet.Direction) { p.Cut(map[string]faultnet.Direction{there: d}) }

// send writes from one end in the background, and returns what the other reads.
func send(t *testing.T, from, to net.Conn, text string) <-chan string {
	t.Helper()
	got := make(chan string, 1)
	go func() { _, _ = io.WriteString(from, text) }()
	go func() {
		b := make([]byte, len(text))
		n, err := io.ReadFull(to, b)
		if err != nil && !errors.Is(err, net.ErrClosed) {
			t.Errorf("read: %v", err)
		}
		got <- string(b[:n])
	}()
	return got
}

func expect(t *testing.T, got <-chan string, want string) {
	t.Helper()
	synctest.Wait()
	select {
	case text := <-got:
		if text != want {
			t.Errorf("%q arrived, want %q", text, want)
		}
	default:
		if want != "" {
			t.Errorf("nothing arrived, want %q", want)
		}
	}
}

func TestNetwork_CutsDirectionsAndDeliversLater(t *testing.T) {
	rows := []struct {
		name    string
		cut     faultnet.Direction
		out, in string // what arrives meanwhile
	}{
		{"none", 0, "ping", "pong"},
		{"out", faultnet.Out, "", "pong"},
		{"in", faultnet.In, "ping", ""},
		{"both", faultnet.Both, "", ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := connect(t)
				p.cut(row.cut)
				out, in := send(t, p.near, p.far, "ping"), send(t, p.far, p.near, "pong")
				testkit.Advance(time.Hour)
				expect(t, out, row.out)
				expect(t, in, row.in)
				p.Heal()
				if row.out == "" {
					expect(t, out, "ping")
				}
				if row.in == "" {
					expect(t, in, "pong")
				}
			})
		})
	}
}

func TestNetwork_CutsOnlyTheAddressesItIsGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := connect(t)
		p.Cut(map[string]faultnet.Direction{"c:1": faultnet.Both})
		expect(t, send(t, p.near, p.far, "ping"), "ping")
	})
}

func TestNetwork_DialsWaitForBothDirections(t *testing.T) {
	for _, d := range []faultnet.Direction{faultnet.Out, faultnet.In} {
		synctest.Test(t, func(t *testing.T) {
			p := connect(t)
			p.cut(d)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := p.Dial(ctx, there); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a dial through a cut: %v, want that the time is up", err)
			}
			time.AfterFunc(time.Second, p.Heal)
			began := time.Now()
			p.dial(t)
			if took := time.Since(began); took != time.Second {
				t.Errorf("the dial took %v, want 1s", took)
			}
		})
	}
}

func TestConn_DeadlinesEndWaitsAndLoseNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := connect(t)
		p.cut(faultnet.Both)
		if _, err := io.WriteString(p.far, "pong"); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := p.near.SetDeadline(time.Now().Add(time.Second)); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			if _, err := p.near.Read(make([]byte, 8)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != time.Second {
				t.Errorf("read: %v after %v, want a deadline exceeded after 1s", err, time.Since(began))
			}
			if _, err := io.WriteString(p.near, "ping"); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("write: %v, want a deadline exceeded", err)
			}
		}
		if err := p.near.SetDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
		p.Heal()
		var text string
		for range 2 {
			b := make([]byte, 2)
			n, err := p.near.Read(b)
			if err != nil {
				t.Fatal(err)
			}
			text += string(b[:n])
		}
		if text != "pong" {
			t.Errorf("%q arrived in two parts, want pong", text)
		}
	})
}

func TestConn_TheEndOfAnotherIsHeldToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := connect(t)
		p.cut(faultnet.In)
		if err := p.far.Close(); err != nil {
			t.Fatal(err)
		}
		var ended error
		go func() { _, ended = p.near.Read(make([]byte, 1)) }()
		testkit.Advance(time.Hour)
		if synctest.Wait(); ended != nil {
			t.Errorf("the end came through the cut: %v", ended)
		}
		p.Heal()
		if synctest.Wait(); !errors.Is(ended, io.EOF) {
			t.Errorf("after healing the read says %v, want EOF", ended)
		}
	})
}

func TestConn_CloseEndsWhatACutHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := connect(t)
		p.cut(faultnet.Both)
		errs := make(chan error, 2)
		go func() { _, err := p.near.Read(make([]byte, 1)); errs <- err }()
		go func() { _, err := p.near.Write([]byte{1}); errs <- err }()
		synctest.Wait()
		if err := p.near.Close(); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := <-errs; !errors.Is(err, net.ErrClosed) {
				t.Errorf("after Close: %v, want net.ErrClosed", err)
			}
		}
	})
}

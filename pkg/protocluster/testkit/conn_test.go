package testkit_test

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := testkit.NewNetwork()
		n.Shape(testkit.Link{Window: 5})
		a, b := connect(t, n, ab)
		_ = a.SetDeadline(time.Now().Add(time.Second))
		takes(t, "read", time.Second, func() { readFails(t, a, os.ErrDeadlineExceeded) })
		_, err := io.WriteString(a, "x")
		var timeout net.Error
		if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("write failed with %v, want a timeout", err)
		}

		_ = a.SetDeadline(time.Time{})
		takes(t, "write without deadline", 0, func() { write(t, a, "hello"); read(t, b, "hello") })

		_ = a.SetWriteDeadline(time.Now().Add(time.Second))
		takes(t, "write to a full window", time.Second, func() {
			if k, err := io.WriteString(a, "hello, world"); k != 5 || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("wrote %d bytes and %v, want 5 and a timeout", k, err)
			}
		})

		_ = a.SetReadDeadline(time.Now().Add(time.Hour))
		time.AfterFunc(time.Second, func() { _ = a.SetReadDeadline(time.Now()) })
		takes(t, "read whose deadline was moved", time.Second, func() { readFails(t, a, os.ErrDeadlineExceeded) })
	})
}

func TestCloseDeliversWhatWasWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := testkit.NewNetwork()
		a, b := connect(t, n, ab)
		n.Shape(testkit.Link{Latency: time.Second, Rate: 10})
		write(t, a, "goodbye...")
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		takes(t, "the rest and the end", 2*time.Second, func() {
			if got, err := io.ReadAll(b); err != nil || string(got) != "goodbye..." {
				t.Errorf("read %q, %v", got, err)
			}
		})
		write(t, b, "x") // which finds nobody
		testkit.Advance(3 * time.Second)
		if _, err := io.WriteString(b, "x"); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("write to a closed end failed with %v, want %v", err, syscall.ECONNRESET)
		}
	})
}

func TestCloseEndsWaits(t *testing.T) {
	tests := []struct {
		name string
		wait func(net.Conn) error
	}{
		{name: "read", wait: func(c net.Conn) error { _, err := c.Read(make([]byte, 1)); return err }},
		{name: "write", wait: func(c net.Conn) error { _, err := c.Write(make([]byte, 1<<20)); return err }},
		{name: "set deadline", wait: func(c net.Conn) error { testkit.Advance(time.Hour); return c.SetDeadline(time.Now()) }},
		{name: "close", wait: func(c net.Conn) error { testkit.Advance(time.Hour); return c.Close() }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, _ := connect(t, testkit.NewNetwork(), ab)
				time.AfterFunc(time.Minute, func() { _ = a.Close() })
				if err := tt.wait(a); !errors.Is(err, net.ErrClosed) {
					t.Errorf("got %v, want %v", err, net.ErrClosed)
				}
			})
		})
	}
}

func TestWritesStayWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := testkit.NewNetwork()
		n.Shape(testkit.Link{Window: 3, Latency: time.Millisecond})
		a, b := connect(t, n, ab)
		words := []string{"aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"}
		var w sync.WaitGroup
		for _, word := range words {
			w.Go(func() { write(t, a, word) })
		}
		got := make([]byte, 30)
		if _, err := io.ReadFull(b, got); err != nil {
			t.Fatal(err)
		}
		w.Wait()
		for _, word := range words {
			if !strings.Contains(string(got), word) {
				t.Errorf("read %q, want %q in one piece", got, word)
			}
		}
	})
}

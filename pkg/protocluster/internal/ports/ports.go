// Package ports reserves ports of this machine for the processes that a test starts.
//
// Where a process can say which port it was given, it should be told port 0. For
// those that cannot, a port that was free a moment ago is luck: the system gives it
// to the next who asks for any, which includes whoever dials. Reserve takes ports
// that the system gives to nobody, and two tests never take the same.
//
// The package starts no goroutine.
package ports

import (
	"fmt"
	"net"
	"testing"
)

// The system gives away ports from 32768 (Linux) or 49152 (others). A block is a
// port that is listened at as long as the block is taken, and those that follow.
const (
	first     = 20000
	last      = 26000 // what follows is for programs, which ask cmd/internal/ports
	blockSize = 8
)

// Reserve returns n ports, up to seven, of 127.0.0.1 at which nothing listens, be
// it TCP or UDP. They are the caller's until the test ends, over any number of
// processes that listen at them one after another.
func Reserve(t testing.TB, n int) []int {
	t.Helper()
	if n >= blockSize {
		t.Fatalf("ports: %d ports are more than the %d of a block", n, blockSize-1)
	}
	for lock := first; lock < last; lock += blockSize {
		if taken := reserve(t, lock); taken && free(t, lock+1, n) {
			ports := make([]int, n)
			for i := range ports {
				ports[i] = lock + 1 + i
			}
			return ports
		}
	}
	t.Fatalf("ports: every block of ports from %d to %d is taken", first, last)
	return nil
}

// reserve takes a block until the test ends, unless somebody has it.
func reserve(t testing.TB, lock int) bool {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", at(lock))
	if err != nil {
		return false
	}
	t.Cleanup(func() { _ = l.Close() })
	return true
}

// free reports whether nothing listens at n ports, which somebody may who knows
// nothing of blocks.
func free(t testing.TB, port, n int) bool {
	t.Helper()
	for p := port; p < port+n; p++ {
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", at(p))
		if err != nil {
			return false
		}
		_ = l.Close()
		packets, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", at(p))
		if err != nil {
			return false
		}
		_ = packets.Close()
	}
	return true
}

func at(port int) string { return fmt.Sprint("127.0.0.1:", port) }

// Package ports finds ports for programs that must be told theirs.
package ports

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
)

// The system gives to whoever asks for any port, as all do who dial, one from 32768
// (Linux) or 49152 (others). Those from 20000 are for tests of the library.
const first, last = 26000, 32000

// Free returns n ports of 127.0.0.1 at which nothing listens now, and which the
// system gives to nobody; it may be a while until somebody listens there.
func Free(ctx context.Context, n int) ([]int, error) {
	var ports []int
	for _, i := range rand.Perm(last - first) {
		if len(ports) == n {
			return ports, nil
		}
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", fmt.Sprint("127.0.0.1:", first+i))
		if err == nil {
			_ = l.Close()
			ports = append(ports, first+i)
		}
	}
	return nil, fmt.Errorf("ports: fewer than %d from %d to %d are free", n, first, last)
}

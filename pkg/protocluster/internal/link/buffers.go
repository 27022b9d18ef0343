package link

import (
	"sync"

	"google.golang.org/grpc/mem"
)

const (
	smallBuffer = 4 << 10
	largeBuffer = 80 << 10 // for any frame but those of one large message
	hugeStep    = 64 << 10 // of the capacities beyond
)

// buffers lends bytes for frames. gRPC's own pools overwrite a megabyte with
// zeros to lend what one full batch needs. It implements mem.BufferPool.
type buffers struct {
	small, large sync.Pool
	huge         sync.Pool // of any capacity beyond largeBuffer
}

// Get returns n bytes, which may hold anything. They have the capacity that gRPC
// asks of what it gives back.
func (b *buffers) Get(n int) *[]byte {
	pool, size := b.poolOf(n)
	if buf, ok := pool.Get().(*[]byte); ok && cap(*buf) >= n {
		*buf = (*buf)[:n]
		return buf
	}
	buf := make([]byte, n, size)
	return &buf
}

// Put takes back what Get has lent, or other bytes of more than largeBuffer.
func (b *buffers) Put(buf *[]byte) {
	if pool, size := b.poolOf(cap(*buf)); size == cap(*buf) || pool == &b.huge {
		pool.Put(buf)
	}
}

func (b *buffers) poolOf(n int) (pool *sync.Pool, size int) {
	switch {
	case n <= smallBuffer:
		return &b.small, smallBuffer
	case n <= largeBuffer:
		return &b.large, largeBuffer
	}
	return &b.huge, (n + hugeStep - 1) / hugeStep * hugeStep
}

var _ mem.BufferPool = (*buffers)(nil)

package link

import (
	"sync"

	"google.golang.org/grpc/mem"
)

const (
	smallBuffer = 4 << 10
	largeBuffer = 80 << 10 // for any frame but those of one large message
)

// buffers lends bytes for frames. gRPC's own pools overwrite a megabyte with
// zeros to lend what one full batch needs. It implements mem.BufferPool.
type buffers struct{ small, large sync.Pool }

// Get returns n bytes, which may hold anything. They have the capacity that gRPC
// asks of what it gives back.
func (b *buffers) Get(n int) *[]byte {
	pool, size := b.poolOf(n)
	if pool == nil {
		size = n
	} else if buf, ok := pool.Get().(*[]byte); ok {
		*buf = (*buf)[:n]
		return buf
	}
	buf := make([]byte, n, size)
	return &buf
}

// Put takes back what Get has lent.
func (b *buffers) Put(buf *[]byte) {
	if pool, size := b.poolOf(cap(*buf)); pool != nil && size == cap(*buf) {
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
	return nil, 0
}

var _ mem.BufferPool = (*buffers)(nil)

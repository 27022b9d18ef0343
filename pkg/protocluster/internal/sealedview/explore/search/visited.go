package search

import (
	"sync"
	"sync/atomic"
)

// visited is a set of hashes: a table with open addressing that any number of
// workers add to without locks. Whoever adds holds mu for reading; to grow takes
// it for writing.
type visited struct {
	mu    sync.RWMutex
	slots []uint64 // 0 is free
	count atomic.Int64
	most  int64 // slots
}

// newVisited returns a set whose table has at most that many bytes, also while
// it grows.
func newVisited(memory int64) *visited {
	return &visited{slots: make([]uint64, 1<<12), most: max(memory/8, 1<<12)}
}

// touch loads the slot of a hash into the cache. A worker touches many before it
// adds them, so that it waits for memory once and not each time.
func (v *visited) touch(h uint64) uint64 {
	return atomic.LoadUint64(&v.slots[h&uint64(len(v.slots)-1)])
}

// add reports whether h was not in the set.
func (v *visited) add(h uint64) bool {
	if h == 0 {
		h = 1
	}
	mask := uint64(len(v.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		slot := &v.slots[i]
		old := atomic.LoadUint64(slot)
		if old == 0 && atomic.CompareAndSwapUint64(slot, 0, h) {
			return true
		}
		if old == 0 { // another worker was faster; with the same hash, perhaps
			old = atomic.LoadUint64(slot)
		}
		if old == h {
			return false
		}
	}
}

// reserve makes room for n more and reports whether there was memory for it. No
// worker may be adding.
func (v *visited) reserve(n int64) bool {
	v.mu.RLock()
	tight := v.tight(n)
	v.mu.RUnlock()
	if !tight {
		return true
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for v.tight(n) {
		if int64(len(v.slots))*3 > v.most { // the old table and one of twice its size
			return false
		}
		v.grow()
	}
	return true
}

// tight reports whether n more would fill more than three quarters.
func (v *visited) tight(n int64) bool {
	return (v.count.Load()+n)*4 > int64(len(v.slots))*3
}

func (v *visited) grow() {
	old := v.slots
	v.slots = make([]uint64, 2*len(old))
	mask := uint64(len(v.slots) - 1)
	for _, h := range old {
		if h == 0 {
			continue
		}
		i := h & mask
		for v.slots[i] != 0 {
			i = (i + 1) & mask
		}
		v.slots[i] = h
	}
}

package bench

import "runtime"

// Allocations counts those of this process so far. It stops the process for a
// moment.
func Allocations() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

// HeldBytes is what the process holds once its garbage is gone: the heap, and
// the stacks of goroutines.
func HeldBytes() int64 {
	runtime.GC()
	runtime.GC() // what had a finalizer, or lay in a sync.Pool
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

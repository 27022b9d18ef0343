// Package memstore is a view store in the memory of one process: what Consul is
// to a cluster of processes, with faults that a test gives it.
//
// It promises what cluster.Store asks for, and that a fault has taken effect when
// its method returns: a store that stalls, fails without effect, fails with
// effect, is slow, notices late, forgets, goes back to an earlier state or was
// overwritten by hand, for one node or for all of them.
//
// It starts no goroutine; timers end at once. Make a Store inside the bubble that
// uses it. Errors say that a test asked for them.
//
// Read store.go, then fault.go; node.go is how a node uses it.
package memstore

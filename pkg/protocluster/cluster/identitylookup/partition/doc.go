// Package partition places identities as package disthash does, and keeps each
// of them to one activation at a time: through crashes, pauses, partitions and
// restarts. Its kinds are strict, unless they are cluster.Eventual.
//
// It promises what package cluster promises of a lookup whose Locator is a
// cluster.Placer: a member activates an identity only under a lease, only in the
// view that assigns it there, and only once every member that owned it before
// has let go; while the lease has lapsed, messages wait and no reply leaves; a
// member that was evicted drops what it has and comes back as another. The
// protocol is that of package internal/sealedview. It needs a provider with a
// linearizable view store, such as consul or test; Join refuses any other.
//
// What that costs: nothing in a request but the check of a lease, half a round
// trip four times a second to each member of the council, and after a crash the
// wait for a lease, about a second. An eventual kind of the same lookup costs
// nothing, and is found without a lease.
//
// It starts no goroutines. Errors, beside those of disthash: *cluster.FencedError
// where a member has no lease, which is retried.
//
// Read partition.go.
package partition

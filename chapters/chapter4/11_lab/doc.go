// Package assembled is chapter 4 in one piece: a cluster.IdentityLookup made of
// what the learner wrote in exercises 4.1 to 4.9.
//
// It promises what those exercises test. Members with the same view agree on the
// owner of every identity. The owner starts one activation, however many ask. An
// identity whose member vanished is started elsewhere once the lease of that
// member is over; a member without a majority of the electors loses its lease, and
// stops what it hosts. A member that leaves lets nothing new in, and hands back.
//
// It does not promise what takes a store that decides: two members may install
// views at different times, and a handler that is inside a message when the lease
// ends goes on to its end. Package identitylookup/partition does better. A
// majority that is lost at once does not come back by itself: of two members,
// that is one.
//
// A node has goroutines for its lease, for each question about it, for evictions
// and for a drain; Close ends them all and waits. Errors are those of
// cluster.Locator, and of Bind as long as an exercise is not written, which names
// it.
//
// Read assembled.go, then locator.go, lease.go, kind.go and unfinished.go.
package assembled

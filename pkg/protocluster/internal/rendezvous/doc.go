// Package rendezvous says which of some members owns a key.
//
// It promises that every process computes the same owner from the same names,
// in whatever order it has them and in every release; that a member that joins
// takes keys and moves none between others; that only the keys of a member that
// leaves move; and that the members' shares of many keys are within 5 % of their
// mean, or of what their weights make due. It promises nothing about a few keys, nor against someone who picks keys
// to burden one member: the hash has no secret.
//
// It starts no goroutine, never blocks and returns no errors. A [Table] never
// changes, so it may be used concurrently; asking it allocates nothing.
//
// Read table.go, then hash.go, then weighted.go. The package's Example shows who owns what, and
// what moves when a member leaves.
package rendezvous

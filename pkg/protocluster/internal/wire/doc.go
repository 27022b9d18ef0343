// Package wire is how messages look between nodes: what package remote writes
// into the frames of remote.proto and reads out of them. It knows nothing of
// connections, starts no goroutine and does not block.
//
// [Types] turns messages into bytes and back, under the names of their types. A
// [Parcel] is a message that is ready to leave; a [Batch] gathers parcels, with
// each name in it once. A [Reader] takes the messages out again on the other
// node. What is read is bounded before it is decoded, and neither an index, nor
// a length, nor a name in it is believed.
//
// An error crosses as a code for its class and a text: errors.Is holds on the
// other node for the sentinels of actor and of this package, which remote
// exports as its own. Each says in its message, which begins with "remote:",
// what to do.
//
// Start with types.go; then batch.go, reader.go, columns.go, failure.go.
package wire

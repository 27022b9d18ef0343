// Package remote carries messages between the actors of different nodes, over
// gRPC streams.
//
// A Remote gives an actor.System an address. From then on whatever is sent to a
// PID of another node, by any method of package actor, gets there: messages,
// replies, Watch, Stop and Poison. [Remote.Spawn] starts actors elsewhere.
//
// # Promises
//
// The messages of one sender to one actor arrive in the order in which they
// were sent, each at most once, also across lost connections; messages that
// were not sent yet wait for the next connection. A request ends with a reply
// or an error, and errors.Is tells whether it was definitely not executed
// (actor.ErrNotDelivered) or nobody knows (actor.ErrUnknownOutcome), as when
// the connection breaks after it was sent. A message that cannot be encoded, is
// too large, or finds too much waiting is refused at once; one that the other
// node cannot decode or deliver comes back. Both fail the request, or publish
// an actor.DeadLetter on the sending node, and neither disturbs other messages.
// A watcher gets *actor.Terminated when the actor ends, or its node leaves, is
// restarted, or has been silent or unreachable for Config.DeadAfter.
//
// Not promised: that a message without reply arrives; any order between actors
// or between messages and Terminated; that a forwarded request has the first
// sender's PID on a third node (it has that of a future which passes one reply
// on). Nothing here blocks but Start, Stop and Spawn.
//
// # Trust
//
// What a peer sends is bounded before it is decoded, and speaks only for the
// peer's own actors. Without TLS anybody can be a peer, so listen where only
// friends are. A client cannot stop actors; nobody spawns what is not in
// Config.Kinds. [Remote.Rejected] counts what was refused. Who calls a service
// that WithService adds is its own affair; [Remote.Verify] helps.
//
// # Goroutines
//
// One for the listener, one that beats; for each node that is sent to, one that
// keeps the connection, and for each of its streams a reader and a writer; for
// each stream that a peer opens, gRPC's handler, a reader and a writer.
// Remote.Stop ends all of them, and the handlers of other services.
//
// # Reading
//
// Start with deliver.go, what becomes of a message that is sent, and receive.go,
// of one that comes; then watch.go, remote.go and config.go. That is the whole
// of what a message means; service.go is the node's port for others. To go deeper: internal/link is how batches of
// messages get to a node and what happens when its connection breaks,
// internal/wire how they look on the way, and remote.proto the frames. The
// [Example] runs.
package remote

// Package cluster makes actors reachable by identity: "user/123" lives on one of
// the members, is started there by the first message to it, and the sender does
// not know where.
//
// It promises that a message sent by Send or Request arrives at most once, and in
// order with others from the same node while the activation lasts; that many first
// messages make one activation; that a message which meets an eviction, a hand-over
// or a leaving member is served by the next activation; and that each error says
// whether the message was executed. What was definitely not is tried again, what
// may have been is not. It does not promise that a message handed to a connection
// arrives (only a reply does that), nor order across two activations, nor state
// beyond one. How strictly there is one activation of an identity at a time is up
// to the lookup: disthash ends duplicates as soon as it sees them.
//
// Join, Leave, Locate, Send and Request block, until their context ends at most;
// all methods may be called concurrently. View, Loads and Stats do not block.
//
// A node starts goroutines for its provider, its view, its gossip and its evictions,
// and short ones for look-ups, for answers to other nodes and for messages between
// two activations. Leave and Close end them all and wait for them.
//
//   - ErrNotJoined, ErrJoined and ErrClosed are about the node.
//   - *RequestError tells who was tried, when and why that failed. It Is
//     actor.ErrNotDelivered or actor.ErrUnknownOutcome, and wraps
//   - *NoHostError: no member that is up hosts the kind;
//   - *ActivationError: the actor could not be started;
//   - *UnansweredError, *MovedError: a member did not take it, others may.
//   - *actor.ReplyError is the virtual actor's own error.
//
// Read identity.go, kind.go and view.go for the words; request.go, locate.go,
// activations.go and parking.go for the way of a message; cluster.go and node.go for
// the life of a node; provider.go and lookup.go for what can be exchanged. The
// package's Example is a cluster of two nodes.
package cluster

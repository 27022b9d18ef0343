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
// beyond one.
//
// How strictly there is one activation of an identity is up to the lookup.
// disthash ends duplicates as soon as it sees them. Where the lookup's Locator is
// a Placer, as partition's is, kinds are strict unless they are Eventual: at any
// instant at most one member can hand a message to an activation of an identity.
// A reply leaves only if the member still has its lease after the handler has
// returned. A member without a lease lets messages wait, and goes on with its
// state intact if the lease comes back; one that was evicted drops what it has,
// without saving, and joins again as another. What a handler writes elsewhere
// needs actor.Context.Fence: its context is cancelled when the lease ends, but the
// handler is not stopped. All that takes a provider with a ViewStore, and clocks
// whose rates are off by 1 % at most.
//
// Join, Leave, Locate, Send and Request block, until their context ends at most;
// all methods may be called concurrently. View, Loads and Stats do not block.
//
// A node starts goroutines for its provider, its view, its gossip and its evictions,
// and short ones for look-ups, for answers to other nodes, for first requests that
// wait and for messages between two activations. Leave and Close end them all and wait
// for them.
//
//   - ErrNotJoined, ErrJoined and ErrClosed are about the node.
//   - *MixedKindError is about a kind that is strict on some members only.
//   - *RequestError tells who was tried, when and why that failed. It Is
//     actor.ErrNotDelivered or actor.ErrUnknownOutcome, and wraps
//   - *NoHostError: no member that is up hosts the kind;
//   - *ActivationError: the actor could not be started;
//   - *UnansweredError, *MovedError, *FencedError: a member did not take it;
//     others may, or the same one later.
//   - *actor.ReplyError is the virtual actor's own error.
//
// Read identity.go, kind.go and view.go for the words; request.go, hail.go, locate.go,
// activations.go and parking.go for the way of a message; cluster.go and node.go for
// the life of a node; provider.go and lookup.go for what can be exchanged; tenure.go
// and handover.go for strict kinds. The package's Example is a cluster of two nodes.
// What can be taken on trust is in packages below internal: seat takes and keeps a
// member's place in sealed views, handover waits for who held an identity before,
// patience ends waits, and gossip, grains, pidcache, flights, lots, lru, turns,
// attempts, latch and memo are what their names say.
package cluster

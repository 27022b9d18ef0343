// Package sealedview says who the members of a cluster are, which of them may
// serve, and when one may take over what another held, such that at any instant
// at most one process can dispatch messages to an activation of an identity.
//
// A [Node] is one member's part in that: a state machine without I/O, clocks or
// goroutines. Its driver passes events to [Node.Step] with the reading of a
// monotonic clock, carries out the effects, and asks [Node.Serves] before each
// message and [Node.MayActivate] before each activation.
//
// # Promises
//
//   - If Serves is true at a node, no other node may activate what this one
//     holds; it ends in time by itself, whatever the node hears or does not.
//   - MayActivate is true at one node at most, after all who may have held the
//     identity have let go or lost their lease for good.
//   - A node goes by views whose epochs only grow, and by none but what was
//     written into the store.
//   - Whatever happens, a cluster of which a majority of the grantors is left,
//     with a store that answers, serves everything again within seconds; after
//     the loss of a majority, after Params.Store and some seconds.
//
// They hold if messages are lost, delayed, repeated and reordered, processes
// crash, pause and sleep (if the driver tells: Slept), clocks show any time at a
// rate within Params.Drift, and the store is linearizable or, as after the
// restore of a backup, loses writes while all members reach it. They are not
// kept if the store votes, alone or as one of three, and loses what it was
// written within the last three leases; nor if nobody reaches the store while
// its record is deleted and somebody begins another cluster in it. A process
// that starts again has to be another member.
//
// Nothing blocks, and nothing returns errors but [Parse], [View.Encode] and the
// checks: what the operator should know is a [Warn], and a bug of this package or
// its host is a [Violated].
//
// # How it differs from the protocol as designed
//
// In short, that is: a lease is fresh grants of a majority of the grantors which
// a view fixes; a member is removed once a majority has excluded it and its
// promises have run out (R1), the view before is closed (R2) and one lease has
// passed since the view was made (R3); an identity is activated once all its
// earlier owners have given a barrier; an override waits until nobody can have
// fresh evidence of the store. This package adds:
//
//   - Seals. A lease takes a sealed view: a majority of the grantors of the view
//     before must have left that, which its members tell each other. So older
//     views end when a view begins to serve, and not only when somebody is to be
//     removed; R2 and R3 are one rule, to be sealed for the time of a lease.
//   - Forks. A grantor follows only a view made of the one it has installed, or
//     of a later one. So of two views that a store which went back lets be made
//     of the same one, only one can be sealed. A view's name is its Stamp, for
//     the two may have the same epoch.
//   - Restoring. A member with a lease writes its view back into a store that
//     has lost it. Who finds another view there, and none to follow, loses its
//     lease in the time of one; the store's word alone counts after it was
//     watched without a break for Params.Settle.
//   - Vouching. Who was long without a lease has to hear of the store anew, or,
//     while nobody reaches that, of a member that has kept its lease: nobody can
//     have begun without that one.
//   - One reader. The oldest member that reaches the store reads it for all, so
//     that a cluster of any size reads it about once in Params.Store/15.
//   - Unlocking. If everybody is there, but exclusions in vain or what the store
//     has lost keep the leases away, another view of the same members ends that.
//   - A second accuser, and doubts of a node that was late itself, before anybody
//     is excluded; whoever is heard and yet gets no lease is accused as well.
//   - Barriers to all members at once, by which each prunes its history of views;
//     and [Node.Owing], for hosts that pull single identities ahead of those. The
//     council gathers them and hands them on, unless the store grants the leases:
//     so members outside of it say nothing to each other.
//
// # Reading order
//
// view.go, event.go and message.go are the words. lease.go, grantor.go,
// removal.go and gate.go are the rules, each a small machine of its own; node.go
// puts them together, with renew.go, peer.go, watch.go, join.go, leave.go,
// barrier.go and store.go as the parts of a node's day. Last come override.go
// and restore.go, for bad days. protection.go names each rule that a test can
// switch off.
//
// Package model is the protocol as a finite machine, explore searches all of it;
// sim runs this package's machines against simulated networks, clocks and stores.
package sealedview

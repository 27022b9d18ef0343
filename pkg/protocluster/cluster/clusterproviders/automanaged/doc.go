// Package automanaged is a cluster provider that needs no other service: the
// nodes watch each other, by hashicorp/memberlist's gossip (SWIM with
// Lifeguard's suspicion).
//
// New finds the others at seeds, which may be the same list on every node: a
// node listens on the first that is free on its own host, TCP and UDP, else on
// any free port. NewWithLease is for several nodes of one process, and NewWith
// has all the options. The package's Example runs a cluster of two.
//
// # Promises
//
// A node's first report has all members that the seed knew. A join, a leave or
// another status is known everywhere after a few gossip intervals, a tenth of a
// second by default; changes within 20 ms are one report. A process that is
// killed is dropped everywhere within 2.5 s, mostly after 1.2 s, by nodes that
// are well; one whose probes fail because it gets too little processor time
// probes up to four times more slowly, lest it accuse others of that. A process
// that restarts at the same address replaces the former at once. Seeds that are
// not members are called again and again, so parts of a cluster that started
// apart or were cut off from each other are one again seconds after they can be.
// Kinds may be as many and as long as 64 KiB hold. Nodes of other clusters and
// announcements that make no sense are kept out, and logged once.
//
// Not promised: that two nodes have the same view at the same time, or that
// only the dead are dropped. The views are eventual. A process that stands
// still for a second, or is cut off as long, is dropped by the others and comes
// back with the same ID. The sides of a partition each go on as a cluster of
// their own. If every seed is gone, the members stay together, but nobody new
// finds them. Without Config.SecretKey anybody who reaches an endpoint and
// knows the cluster's name can announce members, and reads all that is said.
// Endpoints have IP addresses of one family; where two members announce one
// address, only the one that started last is seen.
//
// A client is known to memberlist as the others are, and is left out of what
// they report. It listens on a port of its own, which they have to reach.
//
// # Goroutines
//
// Run starts and waits for: memberlist's (which probe, gossip and exchange
// state), one that accepts connections, one for UDP packets, one for each open
// connection, one that calls absent seeds, and one that sends lists of kinds
// that are too long for memberlist. It ends within a second and a half after its
// ctx when the network is well: a quarter to tell the others, the rest for a
// probe that memberlist cannot interrupt; four probe intervals at most.
//
// # Errors
//
// Check and Run return a *JoinError if no seed lets the node in, which lists
// them with what came of each; and a *BindError if the endpoint cannot listen
// where it was told to. What else they return says what to change in Config.
//
// # Reading order
//
// provider.go is the surface. session.go is one node's run, bind.go and join.go
// its beginning. roster.go makes members of memberlist's nodes, by the card.go
// that each shows; courier.go brings what is too long for a card. transport.go,
// stream.go and packets.go are how memberlist reaches the network.
package automanaged

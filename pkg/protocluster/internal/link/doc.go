// Package link gets batches of messages, and signals about actors, from one
// node to another and back over gRPC. It is what package remote stands on: what
// a message means, and which actors there are, is behind the interface [Node].
//
// An [Endpoint] is a node's end of everything. It has a [Link] for each address
// that is sent to, a state machine that outlives connections: it dials, waits
// and dials again, holds what waits meanwhile in ordered lanes, and remembers
// what is watched there. A session is one connection, a control stream and its
// data lanes; it knows which requests were written, whose outcome is unknown if
// it ends. Two nodes that listen have two sessions, one for what each begins;
// replies go back over the session of the request. A client, which nobody can
// dial, has one for both.
//
// A peer's frames are bounded before they are decoded, and speak only for the
// peer's own actors; what it does wrong ends one stream, with a status that
// says why, and is counted. Nothing blocks but Leave and Close. The errors are
// those that package remote documents.
//
// Open starts one goroutine that beats, Serve one that listens; each link is
// one, each stream one or two. Close returns when all have ended.
//
// Start with endpoint.go; then link.go, the states; dial.go and accept.go, how a
// session begins on either side; session.go; lane.go, outlet.go and outbox.go, what
// leaves it, codec.go, as what bytes; signals.go, what comes in on its control stream.
package link

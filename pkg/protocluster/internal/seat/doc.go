// Package seat drives package sealedview on a node. sealedview.Node decides, as a
// state machine without I/O; a Seat gives it time, the view store and the other
// members, and tells the node's Host what comes of it. PROTOCOL.md says why any
// of this keeps an identity from being active twice.
//
// # Promises
//
// Serves is true only while the node holds a lease, by the clock, at the instant
// of the call; it costs a reading of the clock and waits for nothing. An
// activation is registered by Claim under the same lock under which views are
// installed, so that the host finds it when it is told of the next view. Lease
// traffic waits for nobody: not for the host, not for the store, not for a node
// that does not read. Host calls come in order, one at a time, late if one takes
// long. Who was taken out of the view comes back under another id by itself.
//
// A machine that sleeps stops the clock by which Go measures time. On Linux and
// macOS a Seat notices that when it does anything at all, and within a fifth of
// Params.Renew after the machine woke. A Claim looks first; Serves looks once in a
// millisecond, and up to then may be true although the lease has ended.
//
// Not promised: that a message to another node arrives. Whatever matters is
// repeated by sealedview.
//
// # Lease traffic
//
// A node that has something for another opens a gRPC stream, on a connection that
// carries nothing else, to the Service on the other's port. What the other has for
// it goes back over the same stream as long as that is alive: something has come
// over it within two and a half Params.Renew, and what goes back is read. Else it
// goes over a connection of the other's own, as a Knock always does: it asks whether
// its node can dial. If both have dialled, both use the connection of the lower
// address. So there is one for each two nodes that talk, when the other has been
// idle for half a minute and ended, and a renewal is two frames: the Renew, and the
// Grant back.
//
// A frame says for which member it is, because after a restart another one can be
// at the same address. Hello, first each way, says of which; it is believed of a
// caller if Config.Verify does, and of who was dialled if it gives the address that
// was. What goes back says how many frames have arrived, if need be as a receipt and
// nothing else; if that does not come for two and a half Params.Renew the connection
// is given up and dialled again, unless this process is short of time. A Grant needs
// no receipt: the next Renew carries it. What waits for one node is bounded in
// number and in age, and takes whichever way there is. Only addresses that the view
// store has named are dialled, or told anything. What a node does wrong ends its
// stream, either way, and is counted in Stats.Rejected; a caller gets a status that
// says why.
//
// # Goroutines
//
// Run starts four that last as long as it does: one keeps the time, one calls the
// host, one watches the store, one announces the node in it. Each read and write
// of the store is one more while it lasts; so is each line to a node that was
// dialled lately, with a reader while it is connected, and the reader of each stream
// that another node opened, with a writer while something goes back that is no
// answer. Run returns when all of them have ended.
//
// # Errors
//
// New reports all that is wrong with a Config. Run fails if it is called twice,
// or the Service is in use. A store that does not answer, or a node that cannot
// be reached, is no error: it is logged when it begins and when it ends, and
// counted in Stats.
//
// # Reading
//
// seat.go is what a node's cluster calls, host.go and store.go what it provides.
// step.go is the heart: an event goes in, the end of the lease is published, what
// came of it is done. run.go, the beginning, the time and the end; hosting.go and
// edge.go, what the host is told, and logged.go, what its operator is; storage.go
// and watch.go, the store. Then lease traffic: lines.go says which way a message
// takes, line.go and progress.go are a connection of this node's own, service.go and
// back.go one of the other's; ear.go and hearing.go take in what comes over either,
// frame.go and seat.proto are in between. The tests begin with helper_test.go.
package seat

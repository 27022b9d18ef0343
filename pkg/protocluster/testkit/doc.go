// Package testkit has what tests of actors and of whole clusters need: probes,
// a network with faults, and virtual time to run them in.
//
// # In a bubble
//
// Tests run in a bubble of testing/synctest: its clock stands still while
// anything can run and jumps when nothing can, so ten minutes of partition take
// a millisecond, and a goroutine that is left over fails the test. Make
// everything inside the bubble. A goroutine that waits for a sync.Mutex or a
// socket stops the bubble's clock: hold no lock across a call that may wait.
// Advance lets time pass; no test sleeps.
//
// # Probes
//
// A Probe is an actor that keeps what it is sent until the test asks with
// Expect, FishFor or ExpectNothing, and that sends, requests and responds as
// itself. WithMailboxProbe, WithReceiveProbe and WithSendProbe have one look on
// at an actor. Proto.Actor's names for all that are in protoactor.go.
//
// # The network
//
// A Network connects hosts by name. Host gives one node's view of it, which is a
// remote.Network, so the real gRPC stack runs over it. Promised: the bytes of a
// connection arrive whole, in order and exactly as late as its Link says; a
// fault has taken effect when its method returns; the same seed gives the same
// delays to the same messages of the same connections. Not promised: that
// goroutines which run at the same instant do so in the same order twice.
//
// What each fault looks like from the other side:
//
//	Cut, Partition, Split, Isolate   silence, until Heal: then all that was held
//	Pause                            silence, but dials succeed, until Resume
//	Reset                            ECONNRESET at both ends, at once
//	Kill                             ECONNRESET after the link's latency
//	Crash                            silence; after Restart, ECONNRESET to who writes
//	nobody listens                   ECONNREFUSED after a round trip
//
// # Goroutines
//
// None stays: the package uses timers, whose functions end at once. Nothing
// needs to be closed but the listeners and connections that a test opened.
//
// # Reading order
//
// network.go, link.go and fault.go are what a test sees; flow.go is how bytes
// travel; conn.go, host.go and listener.go make a net package of it. probe.go
// and expect.go are the probes.
package testkit

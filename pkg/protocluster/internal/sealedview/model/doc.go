// Package model is the protocol of sealed views as a finite machine: what up to
// four nodes and the store know, every step that the protocol allows, and what
// must never be true. The explorer tries all of it.
//
// A [State] is 56 bytes and comparable. Every exchange of messages is one step
// that happens at any time or never, for a message that comes late or is lost
// only takes something away from who waited for it: a lease counts from when it
// was asked for, a promise from when it was given. Time is discrete and kept as
// ages, so that a pause may be as long as it likes. A node that is paused, cut
// off or dead takes no steps. There is one identity; rendezvous hashing is one
// fixed ranking of the nodes.
//
// [Model.Enabled] is the protocol itself and [Model.Apply] what a step does, one
// by one, so that a test can lead the shipped state machine and the model along
// the same events. [Expander] is what a search uses: it skips steps and forgets
// facts that make no difference; expander.go and forget.go say why they do not.
//
// What the model promises to find is bounded: four nodes, seven views at a time.
// Not in it: drift of clocks and margins (they only decide how long L is), what a
// reply carries (P2), stores that are not linearizable or restored from a
// backup, more than one identity at a time, weights and kinds.
//
// It starts no goroutines. A Model does not change and may be used
// concurrently, an Expander may not. New reports every fault of a
// configuration. Read state.go, then lease.go, change.go and activation.go.
package model

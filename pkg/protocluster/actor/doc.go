// Package actor runs actors in one process: state that only messages touch.
//
// # Promises
//
//   - An actor handles one message at a time. Messages from one sender to one
//     actor are handled in the order sent; system messages (stop, watch,
//     terminated) go first.
//   - A message is handled at most once. What cannot be delivered fails the
//     asker's Future, or else is published as a *DeadLetter.
//   - Sending never blocks, though a sender far ahead of its receiver lets other
//     goroutines run first. Beyond WithMailboxLimit, a million messages unless
//     set, a sender gets ErrMailboxFull.
//   - A panic in a handler is that actor's failure. Its supervisor resumes,
//     restarts or stops it, or escalates; asking callers get a *PanicError.
//   - An actor ends after all its children. Watchers are told once.
//
// Not promised: that a message sent is handled (its actor may stop first), any
// order between different senders, or a bound on how long a handler may take.
//
// # Errors
//
// A failed request is ErrNotDelivered (definitely not executed: ErrNoActor,
// ErrStopped, ErrMailboxFull), ErrUnknownOutcome (a time-out after sending), a
// *PanicError, or the error that the actor replied with.
//
// # Goroutines
//
// A System starts workers as they are needed, 2×GOMAXPROCS that compute plus
// one for each handler that blocks; Shutdown ends them and waits. Timers
// (receive timeouts, restarts with backoff, the Scheduler, futures) run on the
// runtime's own.
//
// # Reading order
//
// The Example in example_test.go, then actor.go and context.go, which are what
// a user sees; cell.go, lifecycle.go and supervision.go are the life of one
// actor; guard.go and fence.go are for actors that only one node may run. Package
// internal/dispatch gives them turns, internal/names finds them by name,
// internal/lifetime makes their contexts, internal/holdback keeps replies,
// internal/timers sends later and bounds waits.
package actor

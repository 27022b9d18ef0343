// Package search tries all that a machine can do. It knows nothing of protocols.
//
// [Exhaust] visits each state that can be reached once, breadth first, with as
// many workers as it is given, and says whether one of them is wrong. It knows a
// state again by a hash of 64 bits (hash compaction; Wolper & Leroy, CAV 1993), so
// it can take a new state for one that it has seen: over n states with a
// probability of at most n²/2⁶⁵, which [Collision] computes; another seed is
// another hash. [Shortest] does the same with one worker, in an order that never
// varies, and remembers how it came to the first wrong state; no way there is
// shorter. [Walk] wanders at random.
//
// Exhaust starts its workers for each depth and waits for them; nothing runs
// after a call has returned. All calls block until they are done, the context
// ends or the memory that they were given is full, which [Result] tells apart.
// Read system.go, then exhaust.go.
package search

// Package sim runs nodes of package sealedview in a simulated world, with a host
// for each, and with a referee who sees everything.
//
// A [Config] with its seed is one run: who starts when, how long messages take,
// which faults there are. The same Config gives the same run, event for event and
// byte for byte of its trace, on any machine. There is one goroutine, the
// caller's; runs share nothing, so any number may go on at a time.
//
// The faults are lost, late, repeated and reordered messages, links cut one way
// or both, machines that are split, silent or deaf for one kind of message,
// processes that crash, pause, sleep, come and leave, clocks that are wrong and
// run at different rates, and a store that stalls, is out of reach, fails before
// or after a write or writes late. In the profile Backup it also goes back to
// older records, or loses them. An ambush waits for a change of the view to do
// several of these at the worst moment.
//
// In the mode Safety faults go on to the end, and the referee checks at each
// event that no identity can be dispatched to at two processes, that tokens
// grow, that promises do not shrink, and that whoever is taken out of a view has
// lost its lease by the protocol's rules. In the mode Liveness the faults end,
// and then all members have to be on one view and all identities served within
// seconds.
//
// What it does not have: real time, disks, more than nine machines, kinds and
// weights. Read plan.go, world.go, process.go and host.go, then referee.go and
// life.go; nemesis.go, malice.go, ambush.go and backup.go are the faults.
package sim

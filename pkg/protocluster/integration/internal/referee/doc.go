// Package referee watches the activations of a cluster from outside of it, and
// says whether two of them were ever one too many.
//
// A Referee listens on a connection of its own, beside the cluster's network and
// out of reach of its faults. Activations report to it through a Desk what they
// are given and when; clients report which replies they accepted. A Ledger holds
// all of that against the rules, which doc.go of package integration states, and
// Storage keeps a register for each identity that refuses what is fenced.
//
// What a Desk has reported counts even if its process is killed the instant
// after. Instants are of the machine's own clock, which all its processes share:
// see Now.
//
// A Referee runs one goroutine that accepts and one for each connection, until
// Close. A Desk runs none.
//
// Read report.go for the words, ledger.go and rules.go for what is a violation,
// storage.go; then desk.go and referee.go, how it gets from there to here.
package referee

// Package test is a cluster.Provider for nodes of one process: in tests, and to
// try things out.
//
// It promises that a member that joins, changes its status or leaves is seen by
// all others at once, in the same order, and that one that falls silent (it
// crashed, was paused, or InMemAgent.Cut keeps it away) is dropped when its time
// to live has passed: a crash takes longer to be noticed than a leave, as in
// reality. It does not fence a member that was dropped: when it is heard of again it
// is back, under its old ID.
//
// That is so for nodes whose kinds are eventual. A node with strict kinds joins by
// the agent's view store (InMemAgent.Store, package memstore), which can be given
// faults of its own; there a member that was dropped comes back under another ID.
//
// It starts no goroutines and returns no errors. In the .NET of Proto.Actor the
// same names are TestProvider and InMemAgent.
//
// Read provider.go, then agent.go.
package test

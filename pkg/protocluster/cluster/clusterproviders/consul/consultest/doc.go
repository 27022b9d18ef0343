// Package consultest has what tests of a cluster on Consul need: Server, a fake
// that runs in a bubble of testing/synctest; Start, which runs a real agent in
// a process of its own, and StartServers, which runs several that elect a leader;
// and Link, a node's network that can be cut before either. The same tests run
// against both, or else the fake would drift.
//
// The package starts goroutines only in those two, where they read what the agent
// logs, and end with the process. A real agent ends with its test.
//
// Read server.go, then keys.go, sessions.go and services.go; agent.go and
// servers.go are the real ones.
package consultest

// Package local has the workloads of actors in one process: tell, ask, spawn.
//
// tell.go, ask.go and spawn.go say what is done and counted; a file for each
// contender says how. protocluster.go and protoactor.go are actor systems. The
// rest are limits, which do what the workload needs and no more: channel.go is a
// goroutine and a channel for each actor, mailbox.go a goroutine and a mutex
// around a slice that is swapped out whole, pool.go such mailboxes on a fixed
// pool of workers.
package local

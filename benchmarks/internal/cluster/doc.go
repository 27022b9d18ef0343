// Package cluster has the workloads of clusters: requests, activations and
// failover, between processes.
//
// request.go, activate.go and failover.go say what is done and counted;
// protocluster.go is this library, once with partition on a view store and once
// with disthash among members that watch each other, and protoactor.go is
// protoactor-go.
package cluster

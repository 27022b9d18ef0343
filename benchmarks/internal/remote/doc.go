// Package remote has the workloads of two processes on loopback: tell and ask.
//
// tell.go and ask.go say what is done and counted; receiver.go is what counts on
// the other side. A file for each contender says how: protocluster.go and
// protoactor.go are actors, grpc.go and tcp.go limits. Those send what is
// waiting in one batch, as the actors' remotes do, but know nothing of actors.
package remote

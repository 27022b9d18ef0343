package cluster

import (
	"context"
	"log/slog"

	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

// Provider says who the members of a cluster are. A value holds no state of a
// node: one may serve several nodes of a process at once.
type Provider interface {
	// Run announces node.Self until ctx ends, then withdraws it and returns
	// nil. Meanwhile it reports every membership it learns of, the first
	// including the node itself unless that is a client. Run returns an
	// error only for what waiting does not mend.
	Run(ctx context.Context, node Node) error
}

// Checker is what a Provider may also be: Check finds the faults of its
// configuration before anything is announced, all at once.
type Checker interface {
	Check(ctx context.Context, network remote.Network) error
}

// Node is what a Provider sees of the node it serves. Its methods may be
// called concurrently.
type Node interface {
	// ClusterName is the name that only members of one cluster share.
	ClusterName() string
	// Self is this node as it wants to be announced now.
	Self() Member
	// Client says that the node watches the membership without being in it.
	Client() bool
	// Changed is closed when Self differs from what it was at the call.
	Changed() <-chan struct{}
	// Report replaces the membership as this node knows it. The provider
	// does not modify members afterwards.
	Report(members []Member)
	// Network is what the node's own connections use.
	Network() remote.Network
	Logger() *slog.Logger
	// Strict says that the node keeps kinds to one activation, for which a
	// ViewStore has to Keep it.
	Strict() bool
}

package cluster

import (
	"cmp"
	"context"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
)

// ClusterConfig is Config.
type ClusterConfig = Config

// ClusterIdentity is Identity.
type ClusterIdentity = Identity

// NewClusterIdentity returns the identity of that kind and name.
func NewClusterIdentity(kind, identity string) Identity { return Identity{kind, identity} }

// WithClusterKind returns a copy of c that also hosts the kind of that name.
func (c *Config) WithClusterKind(name string, props *actor.Props) *Config {
	return c.With(WithKinds(NewKind(name, props)))
}

// StartMember is Join, for 30 s at most.
func (c *Cluster) StartMember() error { return patiently(c.Join) }

// StartClient is Connect, for 30 s at most.
func (c *Cluster) StartClient() error { return patiently(c.Connect) }

// Shutdown is Leave, for 30 s at most, or, if it is not to be graceful, Close.
func (c *Cluster) Shutdown(graceful bool) error {
	if !graceful {
		return c.Close()
	}
	return patiently(c.Leave)
}

func patiently(do func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return do(ctx)
}

// Root is the system, from which messages are sent.
func (c *Cluster) Root() *actor.System { return c.system.Root }

// Get is Locate without an error: it returns nil if there is one, which it logs.
func (c *Cluster) Get(kind, identity string) *actor.PID {
	pid, err := c.Locate(context.Background(), NewClusterIdentity(kind, identity))
	if err != nil {
		c.system.Logger().Warn("cluster: get failed", "error", err)
	}
	return pid
}

// RequestFuture is Request, whose outcome is the future's; 0 as time-out means
// Config.RequestTimeout.
func (c *Cluster) RequestFuture(id Identity, message any, timeout time.Duration) *actor.Future {
	f := c.system.NewFuture(0) // the request ends it in time, and knows better why
	n, err := c.enter()
	if err != nil {
		f.Fail(err)
		return f
	}
	if n.tasks.Go("request", func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, cmp.Or(timeout, c.config.requestTimeout()))
		defer cancel()
		if reply, err := c.request(ctx, n, id, message, nil); err != nil {
			f.Fail(err)
		} else {
			f.Complete(reply)
		}
	}) == nil {
		n.calls.Leave()
		f.Fail(ErrClosed)
	}
	return f
}

package cluster

import (
	"context"
	"fmt"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/timers"
)

// known returns the PID of id's activation, if it is cached in the current view.
func (n *node) known(id Identity) *actor.PID { return n.cache.Get(id, n.View().Epoch) }

// locate returns the PID of id's activation, from the cache if it is known in
// the current view; else that of a hail, if it may and hailing, or by a look-up
// until then.
func (n *node) locate(ctx context.Context, until time.Time, id Identity, may bool) (pid *actor.PID, hailing bool, err error) {
	if pid := n.known(id); pid != nil {
		n.stats.hits.Add(1)
		return pid, false, nil
	}
	if may {
		if pid = n.hail(id); pid != nil {
			return pid, true, nil
		}
	}
	n.stats.misses.Add(1)
	ctx, cancel := timers.Bound(ctx, until)
	defer cancel()
	pid, err = n.flights.Join(ctx, id, ErrClosed, n.lookUp)
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("cluster: %s: %w", id.text(), err)
	}
	return pid, false, err
}

// lookUp asks the locator. What it finds counts for the view in which it began.
func (n *node) lookUp(ctx context.Context, id Identity) (*actor.PID, error) {
	epoch := n.View().Epoch
	pid, err := n.locator.Locate(ctx, id)
	switch {
	case ctx.Err() != nil:
		return nil, ErrClosed // or nobody waits any more
	case err != nil:
		return nil, err
	}
	if _, member := n.View().At(pid.Address); !member {
		return nil, fmt.Errorf("cluster: %s was found at %s, which is no member's address: %w",
			id.text(), pid.Address, actor.ErrNotDelivered)
	}
	n.cache.Put(id, pid, epoch)
	return pid, nil
}

package disthash

import (
	"context"
	"sync/atomic"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/internal/placement"
)

// Lookup places identities by rendezvous hashing over the members of the view.
type Lookup struct{}

// New returns the lookup, for any number of nodes.
func New() *Lookup { return &Lookup{} }

// Bind implements cluster.IdentityLookup.
func (*Lookup) Bind(host cluster.Host) (cluster.Locator, error) {
	l := &locator{host: host}
	l.placement.Store(placement.Of(host.View()))
	return l, nil
}

// locator is the lookup on one node.
type locator struct {
	host      cluster.Host
	placement atomic.Pointer[placement.Placement]
}

// Route implements cluster.Router.
func (l *locator) Route(id cluster.Identity) (cluster.Member, bool) {
	return l.placement.Load().Owner(id)
}

// Locate implements cluster.Locator.
func (l *locator) Locate(ctx context.Context, id cluster.Identity) (*actor.PID, error) {
	p := l.placement.Load()
	owner, ok := p.Owner(id)
	switch {
	case !ok:
		return nil, &cluster.NoHostError{ID: id, Members: p.View().Members}
	case owner.ID == l.host.Self().ID:
		return l.activate(ctx, id)
	}
	return l.host.Ask(ctx, owner, id)
}

// Serve implements cluster.Locator.
func (l *locator) Serve(ctx context.Context, id cluster.Identity) (*actor.PID, error) {
	if err := l.refuse(id); err != nil {
		return nil, err
	}
	return l.activate(ctx, id)
}

// Update implements cluster.Locator.
func (l *locator) Update(view *cluster.View) {
	l.placement.Store(placement.Of(view))
	l.host.Retain(l.owns)
}

// Close implements cluster.Locator.
func (l *locator) Close(context.Context) error { return nil }

// activate starts id here and undoes that if it moved meanwhile, which the
// Update that moved it could not.
func (l *locator) activate(ctx context.Context, id cluster.Identity) (*actor.PID, error) {
	pid, err := l.host.Activate(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := l.refuse(id); err != nil {
		l.host.Retain(l.owns)
		return nil, err
	}
	return pid, nil
}

// refuse returns a *cluster.MovedError unless id belongs here.
func (l *locator) refuse(id cluster.Identity) error {
	p := l.placement.Load()
	owner, ok := p.Owner(id)
	if ok && owner.ID == l.host.Self().ID {
		return nil
	}
	return &cluster.MovedError{ID: id, Owner: owner, Epoch: p.View().Epoch}
}

func (l *locator) owns(id cluster.Identity) bool { return l.refuse(id) == nil }

package disthash

import (
	"context"
	"sync/atomic"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/internal/rendezvous"
)

// Lookup places identities by rendezvous hashing over the members of the view.
type Lookup struct{}

// New returns the lookup, for any number of nodes.
func New() *Lookup { return &Lookup{} }

// Bind implements cluster.IdentityLookup.
func (*Lookup) Bind(host cluster.Host) (cluster.Locator, error) {
	l := &locator{host: host}
	l.placement.Store(place(host.View()))
	return l, nil
}

// locator is the lookup on one node.
type locator struct {
	host      cluster.Host
	placement atomic.Pointer[placement]
}

// Locate implements cluster.Locator.
func (l *locator) Locate(ctx context.Context, id cluster.Identity) (*actor.PID, error) {
	p := l.placement.Load()
	owner, ok := p.owner(id)
	switch {
	case !ok:
		return nil, &cluster.NoHostError{ID: id, Members: p.view.Members}
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
	l.placement.Store(place(view))
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
	owner, ok := p.owner(id)
	if ok && owner.ID == l.host.Self().ID {
		return nil
	}
	return &cluster.MovedError{ID: id, Owner: owner, Epoch: p.view.Epoch}
}

func (l *locator) owns(id cluster.Identity) bool { return l.refuse(id) == nil }

// placement says who owns what in one view. It does not change.
type placement struct {
	view  *cluster.View
	kinds map[string]hosts
}

type hosts struct {
	members []cluster.Member
	table   rendezvous.Table // of the members' addresses, which outlive a restart
}

func place(view *cluster.View) *placement {
	p := &placement{view: view, kinds: make(map[string]hosts)}
	for _, m := range view.Members {
		for _, kind := range m.Kinds {
			if _, done := p.kinds[kind]; done {
				continue
			}
			h := hosts{members: view.Hosts(kind)}
			names := make([]string, len(h.members))
			for i, m := range h.members {
				names[i] = m.Address
			}
			h.table = rendezvous.NewTable(names)
			p.kinds[kind] = h
		}
	}
	return p
}

// owner returns the member that hosts id; false if none does.
func (p *placement) owner(id cluster.Identity) (cluster.Member, bool) {
	h := p.kinds[id.Kind]
	if i := h.table.Owner(rendezvous.Key(id)); i >= 0 {
		return h.members[i], true
	}
	return cluster.Member{}, false
}

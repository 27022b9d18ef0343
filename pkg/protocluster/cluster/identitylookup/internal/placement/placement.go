// Package placement says which member of a view hosts an identity: the winner
// of a weighted rendezvous among the members that are up and host its kind. It is what
// the lookups of this library have in common.
//
// It starts no goroutine and never blocks; all of it may be used concurrently.
package placement

import (
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/internal/rendezvous"
)

// Placement says who owns what in one view. It does not change.
type Placement struct {
	view  *cluster.View
	kinds map[string]hosts
}

type hosts struct {
	members []cluster.Member
	table   rendezvous.Table // of the members' addresses, which outlive a restart
}

// Of is the placement in view.
func Of(view *cluster.View) *Placement {
	p := &Placement{view: view, kinds: make(map[string]hosts)}
	for _, m := range view.Members {
		for _, kind := range m.Kinds {
			if _, done := p.kinds[kind]; done {
				continue
			}
			h := hosts{members: view.Hosts(kind)}
			names, weights := make([]string, len(h.members)), make([]float64, len(h.members))
			for i, m := range h.members {
				names[i], weights[i] = m.Address, m.Weight
			}
			h.table = rendezvous.NewWeightedTable(names, weights)
			p.kinds[kind] = h
		}
	}
	return p
}

// View is the view of the placement.
func (p *Placement) View() *cluster.View { return p.view }

// Owner returns the member that hosts id; false if none does.
func (p *Placement) Owner(id cluster.Identity) (cluster.Member, bool) {
	h := p.kinds[id.Kind]
	if i := h.table.Owner(rendezvous.Key(id)); i >= 0 {
		return h.members[i], true
	}
	return cluster.Member{}, false
}

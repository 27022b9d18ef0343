package partition

import (
	"sync"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/disthash"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/internal/placement"
)

// Lookup places identities by rendezvous hashing over the members of sealed
// views.
type Lookup struct{}

// New returns the lookup, for any number of nodes.
func New() *Lookup { return &Lookup{} }

// Bind implements cluster.IdentityLookup.
func (*Lookup) Bind(host cluster.Host) (cluster.Locator, error) {
	finds, err := disthash.New().Bind(host)
	return &locator{Locator: finds, placements: make(map[*cluster.View]*placement.Placement)}, err
}

// locator is the lookup on one node: it finds as disthash does, and whether an
// identity may be activated is up to its host, as it is a cluster.Placer.
type locator struct {
	cluster.Locator

	mu         sync.RWMutex
	placements map[*cluster.View]*placement.Placement
}

var _ cluster.Placer = (*locator)(nil)

// mostPlacements bounds those that are kept; the views that matter at a time are
// fewer.
const mostPlacements = 128

// Owner implements cluster.Placer.
func (l *locator) Owner(view *cluster.View, id cluster.Identity) (cluster.Member, bool) {
	l.mu.RLock()
	p := l.placements[view]
	l.mu.RUnlock()
	if p == nil {
		p = placement.Of(view)
		l.keep(p)
	}
	return p.Owner(id)
}

func (l *locator) keep(p *placement.Placement) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.placements) >= mostPlacements {
		clear(l.placements)
	}
	l.placements[p.View()] = p
}

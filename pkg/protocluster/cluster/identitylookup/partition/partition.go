package partition

import (
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/disthash"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/identitylookup/internal/placement"
	"github.com/protocluster/workshop/pkg/protocluster/internal/memo"
)

// Lookup places identities by rendezvous hashing over the members of sealed
// views.
type Lookup struct{}

// New returns the lookup, for any number of nodes.
func New() *Lookup { return &Lookup{} }

// Bind implements cluster.IdentityLookup.
func (*Lookup) Bind(host cluster.Host) (cluster.Locator, error) {
	finds, err := disthash.New().Bind(host)
	router, _ := finds.(cluster.Router)
	return &locator{Locator: finds, Router: router, placements: memo.New(mostPlacements, same, placement.Of)}, err
}

// locator is the lookup on one node: it finds as disthash does, and whether an
// identity may be activated is up to its host, as it is a cluster.Placer.
type locator struct {
	cluster.Locator
	cluster.Router

	placements *memo.Memo[*cluster.View, *cluster.View, *placement.Placement]
}

var _ cluster.Placer = (*locator)(nil)

// mostPlacements bounds those that are kept; the views that matter at a time are
// fewer.
const mostPlacements = 128

// Owner implements cluster.Placer.
func (l *locator) Owner(view *cluster.View, id cluster.Identity) (cluster.Member, bool) {
	return l.placements.Get(view).Owner(id)
}

func same(view *cluster.View) *cluster.View { return view }

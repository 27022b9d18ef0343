package assembled

import (
	"context"
	"errors"
	"slices"
	"time"

	kinds "github.com/protocluster/workshop/chapters/chapter4/01_kinds"
	members "github.com/protocluster/workshop/chapters/chapter4/02_members"
	placement "github.com/protocluster/workshop/chapters/chapter4/03_placement"
	lookup "github.com/protocluster/workshop/chapters/chapter4/04_lookup"
	pidcache "github.com/protocluster/workshop/chapters/chapter4/05_pidcache"
	failover "github.com/protocluster/workshop/chapters/chapter4/06_failover"
	eviction "github.com/protocluster/workshop/chapters/chapter4/07_eviction"
	drain "github.com/protocluster/workshop/chapters/chapter4/08_drain"
	minority "github.com/protocluster/workshop/chapters/chapter4/09_minority"
	state "github.com/protocluster/workshop/chapters/chapter4/10_state"
	"github.com/protocluster/workshop/chapters/todo"
	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// stretches are the exercises without which a lookup works.
var stretches = []string{"4.9", "4.10"} //nolint:gochecknoglobals // a table

// Unfinished lists the exercises that are still stubs, in order.
func Unfinished() []string {
	var unwritten []string
	for _, p := range probes() {
		if todo.Is(p.try()) {
			unwritten = append(unwritten, p.exercise)
		}
	}
	return unwritten
}

// missingCore lists those without which there is no lookup.
func missingCore() []string {
	return slices.DeleteFunc(Unfinished(), func(id string) bool { return slices.Contains(stretches, id) })
}

// Ready returns nil if there is a lookup, and the stretches that are named are
// written as well. Its error comes from the first stub in the way.
func Ready(stretches ...string) error {
	for _, id := range append(missingCore(), stretches...) {
		if !written(id) {
			return todo.Error(id)
		}
	}
	return nil
}

func written(exercise string) bool { return !slices.Contains(Unfinished(), exercise) }

// probe calls what returns an error in an exercise.
type probe struct {
	exercise string
	try      func() error
}

func probes() []probe {
	id, nothing := cluster.Identity{Kind: "probe", Identity: "1"}, probed{}
	ctx, cancel := context.WithCancel(context.Background()) //nolint:forbidigo // nothing in here waits
	cancel()
	return []probe{
		{"4.1", func() error { return kinds.New().Register(cluster.Kind{Name: id.Kind}) }},
		{"4.2", func() error {
			_, err := new(members.View).Apply(members.Event{Member: cluster.Member{ID: "n1"}})
			return err
		}},
		{"4.3", func() error { _, err := placement.Owner(id, nil); return err }},
		{"4.4", func() error { _, err := lookup.New(nothing).Locate(ctx, id); return err }},
		{"4.5", func() error { _, err := pidcache.Request(ctx, pidcache.New(), nothing, id, nil); return err }},
		{"4.6", func() error {
			return failover.New(placement.Owner, time.Second).Admit(time.Time{}, failover.Lease{}, id)
		}},
		{"4.7", func() error {
			return eviction.New(eviction.Policy{Sweep: time.Second}, func(cluster.Identity) {}).Started(id)
		}},
		{"4.8", func() error { return drain.New(nothing).Admit(id) }},
		{"4.9", func() error { return minority.New("n1", time.Second).Granted("n2", time.Time{}) }},
		{"4.10", func() error { return state.NewAccount(id, nothing).Load(ctx) }},
	}
}

// probed is a node, a router, a member and a store of nothing.
type probed struct{}

var errNothing = errors.New("assembled: nothing is here")

func (probed) Self() cluster.Member { return cluster.Member{} }
func (probed) Owner(cluster.Identity) (cluster.Member, error) {
	return cluster.Member{}, errNothing
}
func (probed) Start(context.Context, cluster.Identity) (*actor.PID, error) { return nil, errNothing }
func (probed) Ask(context.Context, cluster.Member, cluster.Identity) (*actor.PID, error) {
	return nil, errNothing
}
func (probed) Locate(context.Context, cluster.Identity) (*actor.PID, error) { return nil, errNothing }
func (probed) Deliver(context.Context, *actor.PID, any) (any, error)        { return nil, errNothing }
func (probed) Cordon(context.Context) error                                 { return nil }
func (probed) Activations() []cluster.Identity                              { return nil }
func (probed) Stop(context.Context, cluster.Identity) error                 { return nil }
func (probed) Withdraw(context.Context) error                               { return nil }
func (probed) Load(context.Context, cluster.Identity) (state.Snapshot, error) {
	return state.Snapshot{}, nil
}
func (probed) Save(context.Context, cluster.Identity, state.Snapshot) error { return nil }

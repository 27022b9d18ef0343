package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/internal/background"
	"github.com/protocluster/workshop/pkg/protocluster/internal/flights"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/clusterpb"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gossip"
	"github.com/protocluster/workshop/pkg/protocluster/internal/grains"
	"github.com/protocluster/workshop/pkg/protocluster/internal/latest"
	"github.com/protocluster/workshop/pkg/protocluster/internal/names"
	"github.com/protocluster/workshop/pkg/protocluster/internal/pidcache"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
)

const (
	// farewell bounds how long a leaving member waits until the others know
	// of it.
	farewell = 2 * time.Second
	// afterglow is how long it then goes on handing on what was sent to it
	// before they knew.
	afterglow = 100 * time.Millisecond
)

// node is one part that a Cluster takes, from Join or Connect to its end. It is
// the Node of the provider and the Host of the locator.
type node struct {
	cluster  *Cluster
	config   *Config
	system   *actor.System
	stats    *counters
	client   bool
	remote   *remote.Remote
	locator  Locator
	router   Router // the locator, or nil
	endpoint *actor.PID

	self     *latest.Value[Member]
	reported *latest.Value[report]
	tenure   *tenure

	cache   *pidcache.Cache[Identity]
	flights *flights.Flights[Identity]
	grains  *activations
	parking *parking
	gossip  gossip.State

	calls      *background.Turnstile // requests, sends and look-ups of this node's user
	announcing *background.Tasks     // the provider
	tasks      *background.Tasks     // all others, beside parking.tasks
}

func newNode(ctx context.Context, c *Cluster, client bool) *node {
	n := &node{cluster: c, config: c.config, system: c.system, stats: &c.stats, client: client,
		self: latest.New(Member{}), reported: latest.New(report{}), cache: pidcache.New(Identity.isAt),
		calls:      background.NewTurnstile(),
		announcing: background.NewTasks(ctx), tasks: background.NewTasks(ctx)}
	n.flights = flights.New[Identity](c.system, n.tasks)
	n.parking = newParking(n, background.NewTasks(ctx))
	n.tenure = newTenure(n)
	return n
}

// report is the membership as the provider knows it.
type report struct {
	members []Member // nil before the first report
	view    *View    // instead, if it is a sealed one
}

// start does what Join promises; after an error the caller calls stop.
func (n *node) start(ctx context.Context) error {
	if err := n.open(ctx); err != nil {
		return err
	}
	n.cluster.node.Store(n)
	n.tasks.Go("view", n.follow)
	n.tasks.Go("gossip", n.spread)
	n.tasks.Go("eviction", n.grains.sweep)
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	n.announcing.Go("provider", func(ctx context.Context) {
		if err := n.config.Provider.Run(ctx, n); err != nil {
			n.Logger().Error("cluster: the provider gave up; the membership stays as it is", "cluster", n.config.Name, "error", err)
			fail(fmt.Errorf("the provider gave up: %w", err))
		}
	})
	if n.client {
		return n.await(ctx, "no member is up yet", func(v *View) bool {
			return slices.ContainsFunc(v.Members, func(m Member) bool { return m.Status == Up })
		})
	}
	if err := n.await(ctx, "the provider has not reported this member yet", n.seen(Joining, Up)); err != nil {
		return err
	}
	n.become(Up)
	return n.await(ctx, "the provider has not reported this member as up yet", n.seen(Up))
}

// open checks the configuration, listens, and makes whatever does not depend on
// the provider.
func (n *node) open(ctx context.Context) (err error) {
	c := n.config
	faults := []error{c.Validate()}
	if c.Remote != nil {
		options := []remote.Option{remote.WithClusterName(c.Name), remote.WithDialFilter(n.mayDial)}
		if n.client {
			options = append(options, remote.WithoutListener())
		} else if _, ok := c.Provider.(ViewStore); ok {
			options = append(options, remote.WithService(n.tenure.service.Desc(), n.tenure.service))
		}
		n.remote = remote.New(n.system, c.Remote.With(options...))
		faults = append(faults, n.remote.Start(ctx))
		if checker, ok := c.Provider.(Checker); ok {
			faults = append(faults, checker.Check(ctx, n.Network()))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	var kinds []Kind
	if !n.client {
		kinds = c.Kinds
	}
	n.grains = newActivations(n, kinds)
	self := Member{ID: n.system.ID(), Address: n.remote.Address(), Kinds: slices.Sorted(maps.Keys(n.grains.kinds))}
	if _, ok := c.Provider.(ViewStore); ok {
		self.Weight = c.Weight
	}
	n.self.Store(self)
	if n.locator, err = c.Lookup.Bind(n); err != nil {
		return fmt.Errorf("bind the lookup: %w", err)
	}
	n.router, _ = n.locator.(Router)
	if err := n.settle(); err != nil {
		return err
	}
	n.endpoint, err = n.system.SpawnNamed(actor.PropsFromFunc(n.receive), endpointName)
	n.system.HandleMissing(grains.Prefix, n.parking.missing)
	n.system.HandleMissing(names.Hail, n.hailed)
	return err
}

// await waits for a view; if ctx ends first, the error says what was missing.
func (n *node) await(ctx context.Context, missing string, is func(*View) bool) error {
	for view := range n.cluster.Views(ctx) {
		if is(view) {
			return nil
		}
	}
	err := fmt.Errorf("%s, the view has %d members: %w", missing, len(n.View().Members), context.Cause(ctx))
	if trouble := n.tenure.trouble.Load(); trouble != nil && !errors.Is(err, *trouble) {
		return fmt.Errorf("%w; the view store: %w", err, *trouble)
	}
	return err
}

// seen tells whether a view shows this member in one of those statuses.
func (n *node) seen(statuses ...Status) func(*View) bool {
	return func(v *View) bool {
		m, ok := v.Member(n.Self().ID)
		return ok && slices.Contains(statuses, m.Status)
	}
}

func (n *node) become(s Status) {
	m := n.Self()
	m.Status = s
	n.self.Store(m)
	if seat := n.tenure.seat.Load(); seat != nil && s == Leaving {
		seat.Leave()
	}
}

// retire hands over what a member hosts, and finishes the work.
func (n *node) retire(ctx context.Context) error {
	var errs []error
	if !n.client {
		errs = append(errs, n.bidFarewell(ctx), n.grains.drain(ctx))
		background.Sleep(ctx, afterglow)
	}
	return errors.Join(append(errs, n.parking.tasks.Finish(ctx), n.calls.Finish(ctx))...)
}

// bidFarewell tells that this member leaves, and waits until the others send it
// nothing new. Who does not answer is probably gone as well.
func (n *node) bidFarewell(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, farewell)
	defer cancel()
	n.become(Leaving)
	up := n.seen(Up, Joining)
	err := n.await(ctx, "the provider has not told of the leave", func(v *View) bool { return !up(v) })
	var answers []*actor.Future
	for _, m := range n.View().Members {
		if m.ID != n.Self().ID {
			to, m := actor.NewPID(m.Address, endpointName), &clusterpb.Retiring{Member: n.Self().ID}
			answers = append(answers, n.system.RequestFuture(to, m, farewell))
		}
	}
	for _, f := range answers {
		_, _ = f.Wait(ctx)
	}
	return err
}

// stop ends all that start began; every step is taken.
func (n *node) stop(ctx context.Context) error {
	errs := n.rise(context.WithoutCancel(ctx))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if n.locator != nil {
		errs = append(errs, n.locator.Close(ctx))
	}
	if n.remote != nil {
		errs = append(errs, n.remote.Stop(ctx)) // what it still has to say is not heard from who is no member
	}
	errs = append(errs, n.announcing.Stop(ctx))
	if n.endpoint != nil {
		errs = append(errs, n.system.StopAndWait(ctx, n.endpoint))
	}
	return errors.Join(errs...)
}

// rise ends the work, and leaves a sealed view while leases still go on.
func (n *node) rise(ctx context.Context) []error {
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	errs := []error{n.parking.tasks.Stop(ctx), n.tasks.Stop(ctx)}
	if n.tenure.seat.Load() == nil {
		return errs
	}
	n.tenure.vacate(ctx)
	return append(errs, n.announcing.Stop(ctx))
}

// ClusterName implements Node.
func (n *node) ClusterName() string { return n.config.Name }

// Self implements Node and Host.
func (n *node) Self() Member {
	m, _ := n.self.Load()
	return m
}

// Changed implements Node.
func (n *node) Changed() <-chan struct{} {
	_, changed := n.self.Load()
	return changed
}

// Client implements Node.
func (n *node) Client() bool { return n.client }

// Report implements Node.
func (n *node) Report(members []Member) {
	n.reported.Store(report{members: append([]Member{}, members...)})
}

// Network implements Node.
func (n *node) Network() remote.Network {
	if n.config.Remote.Network == nil {
		return remote.TCP{}
	}
	return n.config.Remote.Network
}

// Logger implements Node.
func (n *node) Logger() *slog.Logger { return n.system.Logger() }

// View implements Host.
func (n *node) View() *View { return n.cluster.View() }

// Activate implements Host.
func (n *node) Activate(ctx context.Context, id Identity) (*actor.PID, error) {
	return n.grains.activate(ctx, id)
}

// Retain implements Host.
func (n *node) Retain(keep func(Identity) bool) { n.stats.displaced.Add(uint64(n.grains.retain(keep))) }

// mayDial keeps the node from being sent to addresses that are no member's.
func (n *node) mayDial(address string) error {
	if _, ok := n.View().At(address); !ok {
		return fmt.Errorf("cluster: %s is no member's address in epoch %d of %q", address, n.View().Epoch, n.config.Name)
	}
	return nil
}

// follow turns reports into views, until ctx ends. It alone replaces the view.
func (n *node) follow(ctx context.Context) {
	joined := make(map[string]bool) // members whose MemberJoined was published
	passed := func() {}
	defer func() { passed() }()
	for {
		report, changed := n.reported.Load()
		view := report.view
		if report.members != nil {
			view = n.View().next(report.members, n.Self())
		}
		if view != nil && view != n.View() {
			n.install(view, joined)
			passed() // what was to be released in the view before is so in this
			passed = n.tenure.release(view)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// install makes view the current one and tells everybody who has to know.
func (n *node) install(view *View, joined map[string]bool) {
	old := n.View()
	n.locator.Update(view) // first, so that nothing of the old placement is cached as the new view's
	n.cluster.view.Store(view)
	n.gossip.Retain(func(id string) bool { _, in := view.Member(id); return in })
	for _, m := range view.Members {
		if m.Status == Up && !joined[m.ID] {
			joined[m.ID] = true
			n.system.Events().Publish(&MemberJoined{Member: m, Epoch: view.Epoch})
		}
	}
	for _, m := range old.Members {
		if _, in := view.Member(m.ID); in || m.ID == n.Self().ID {
			continue
		}
		id := m.ID
		if _, restarted := view.At(m.Address); !restarted || view.stamp.Epoch > 0 {
			id = "" // it may come back: the same process, in a sealed view as another member
		}
		n.remote.Disconnect(m.Address, id, fmt.Errorf("cluster: member %s at %s left in epoch %d", m.ID, m.Address, view.Epoch))
		if m.Status = Down; joined[m.ID] {
			delete(joined, m.ID)
			n.system.Events().Publish(&MemberLeft{Member: m, Epoch: view.Epoch})
		}
	}
}

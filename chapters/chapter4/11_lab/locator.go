package assembled

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	kinds "github.com/protocluster/workshop/chapters/chapter4/01_kinds"
	members "github.com/protocluster/workshop/chapters/chapter4/02_members"
	placement "github.com/protocluster/workshop/chapters/chapter4/03_placement"
	lookup "github.com/protocluster/workshop/chapters/chapter4/04_lookup"
	pidcache "github.com/protocluster/workshop/chapters/chapter4/05_pidcache"
	failover "github.com/protocluster/workshop/chapters/chapter4/06_failover"
	eviction "github.com/protocluster/workshop/chapters/chapter4/07_eviction"
	drain "github.com/protocluster/workshop/chapters/chapter4/08_drain"
	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

// holdTerms is for how many terms nobody takes over from a member that
// vanished: one that its lease may last from the last grant on, and one in which
// all members learn of the view without it and grant nothing any more.
const holdTerms = 2

// locator is the lookup on one node. It is the lookup.Node of exercise 4.4 and
// the drain.Member of 4.8.
type locator struct {
	lookup *Lookup
	host   cluster.Host
	term   time.Duration
	ctx    context.Context //nolint:containedctx // the lifetime of the node, which Close ends
	cancel context.CancelFunc
	tasks  sync.WaitGroup
	wake   chan struct{} // has the lease renewed now

	kinds   *kinds.Registry
	finder  *lookup.Locator
	cache   *pidcache.Cache
	gate    *failover.Gate
	idle    *eviction.Passivator
	drainer *drain.Drainer
	votes   bool // 4.9 is written
	ballot  atomic.Pointer[ballot]

	view    atomic.Pointer[cluster.View] // as exercise 4.2 has it; replaced whole
	known   members.View                 // of Update alone, as are lives
	lives   map[string]uint64            // the incarnation of each member of the view
	leaving sync.Once

	mu    sync.Mutex
	given map[cluster.Identity]uint64 // the epoch in which the cache last answered; guarded by mu
}

// Update implements cluster.Locator.
func (n *locator) Update(view *cluster.View) {
	for _, e := range n.events(view) {
		_, _ = n.known.Apply(e) // the host's own view is sound
	}
	seen := &cluster.View{Epoch: view.Epoch, Members: n.known.Members()}
	n.view.Store(seen)
	now := time.Now()
	for _, gone := range n.gate.Change(now, seen) {
		n.cache.RemoveMember(gone.Address)
	}
	n.vote(now, seen)
	if self, _ := seen.Member(n.host.Self().ID); self.Status == cluster.Leaving {
		n.leaving.Do(func() { n.tasks.Go(func() { _ = n.drainer.Drain(n.ctx) }) }) // the host waits for what is stopped
	}
	n.host.Retain(n.owns)
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// events tells exercise 4.2 what has changed. A life of a member begins with the
// epoch in which it appears.
func (n *locator) events(view *cluster.View) []members.Event {
	var events []members.Event
	lives := make(map[string]uint64)
	for _, m := range view.Members {
		life, ok := n.lives[m.ID]
		if !ok {
			life = view.Epoch
		}
		lives[m.ID] = life
		events = append(events, members.Event{Member: m, Incarnation: life})
	}
	for id, life := range n.lives {
		if _, there := lives[id]; !there {
			events = append(events, members.Event{Member: cluster.Member{ID: id, Status: cluster.Down}, Incarnation: life})
		}
	}
	n.lives = lives
	return events
}

// Locate implements cluster.Locator.
func (n *locator) Locate(ctx context.Context, id cluster.Identity) (*actor.PID, error) {
	view := n.view.Load()
	if pid := n.remembered(id, view); pid != nil {
		return pid, nil
	}
	pid, err := n.finder.Locate(ctx, id)
	if err != nil {
		return nil, n.explain(err)
	}
	n.settle(id, pid)
	n.cache.Put(id, pid)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.given[id] = view.Epoch
	return pid, nil
}

// remembered answers from the cache, once in each view: whoever asks again in
// the same view had no luck with the answer.
func (n *locator) remembered(id cluster.Identity, view *cluster.View) *actor.PID {
	pid, ok := n.cache.Get(id)
	if !ok {
		return nil
	}
	n.mu.Lock()
	again := n.given[id] >= view.Epoch
	n.given[id] = view.Epoch
	n.mu.Unlock()
	owner, err := n.owner(id, view)
	if again || err != nil || owner.Address != pid.Address || owner.ID == n.host.Self().ID {
		n.cache.RemoveIf(id, pid)
		return nil
	}
	return pid
}

// Serve implements cluster.Locator.
func (n *locator) Serve(ctx context.Context, id cluster.Identity) (*actor.PID, error) {
	if id.Kind == leaseKind {
		return n.grant(id)
	}
	pid, err := n.finder.Serve(ctx, id)
	if err != nil {
		return nil, n.explain(err)
	}
	n.settle(id, pid)
	return pid, nil
}

// settle has the finder forget an activation of this node that it has found:
// the host keeps the table of the living, and does not tell when one ends.
func (n *locator) settle(id cluster.Identity, pid *actor.PID) {
	if pid.Address == n.host.Self().Address {
		n.finder.Ended(id, pid)
	}
}

// explain adds the epoch to an error that says who owns an identity.
func (n *locator) explain(err error) error {
	if moved, ok := errors.AsType[*cluster.MovedError](err); ok && moved.Epoch == 0 {
		return &cluster.MovedError{ID: moved.ID, Owner: moved.Owner, Epoch: n.view.Load().Epoch}
	}
	return err
}

// Close implements cluster.Locator.
func (n *locator) Close(ctx context.Context) error {
	n.lookup.nodes.CompareAndDelete(n.host.Self().Address, n)
	n.cancel()
	done := make(chan struct{})
	go func() { n.tasks.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("assembled: the lookup has not ended yet: %w", ctx.Err())
	}
}

// Self implements lookup.Node.
func (n *locator) Self() cluster.Member { return n.host.Self() }

// Owner implements lookup.Node.
func (n *locator) Owner(id cluster.Identity) (cluster.Member, error) {
	return n.owner(id, n.view.Load())
}

func (n *locator) owner(id cluster.Identity, view *cluster.View) (cluster.Member, error) {
	hosts := kinds.Hosts(view.Members, id.Kind)
	if len(hosts) == 0 {
		return cluster.Member{}, &cluster.NoHostError{ID: id, Members: view.Members}
	}
	return placement.Owner(id, hosts)
}

func (n *locator) owns(id cluster.Identity) bool {
	owner, err := n.Owner(id)
	return err == nil && owner.ID == n.host.Self().ID
}

// Ask implements lookup.Node.
func (n *locator) Ask(ctx context.Context, m cluster.Member, id cluster.Identity) (*actor.PID, error) {
	return n.host.Ask(ctx, m, id)
}

// Start implements lookup.Node: on the host, which starts an actor only if there
// is none, once that is allowed. It undoes the start if id moved meanwhile.
func (n *locator) Start(ctx context.Context, id cluster.Identity) (*actor.PID, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(n.ctx, cancel)()
	if _, promised := n.kinds.Lookup(id.Kind); !promised {
		return nil, fmt.Errorf("assembled: %s is not hosted here: %w", id, actor.ErrNotDelivered)
	}
	if err := n.admit(ctx, id); err != nil {
		return nil, err
	}
	pid, err := n.host.Activate(ctx, id)
	if err != nil {
		return nil, err
	}
	if owner, err := n.Owner(id); err != nil || owner.ID != n.host.Self().ID {
		n.host.Retain(n.owns)
		return nil, &cluster.MovedError{ID: id, Owner: owner}
	}
	return pid, nil
}

// admit waits until id may be activated here, for as long as that takes in the
// ordinary way: until a lease is over.
func (n *locator) admit(ctx context.Context, id cluster.Identity) error {
	ctx, cancel := context.WithTimeout(ctx, (holdTerms+1)*n.term)
	defer cancel()
	for {
		if err := n.drainer.Admit(id); err != nil {
			return err
		}
		err := n.gate.Admit(time.Now(), n.lease(), id)
		rejected, later := errors.AsType[*actor.RejectedError](err)
		if !later {
			return err
		}
		select {
		case <-time.After(max(rejected.RetryAfter, time.Millisecond)):
		case <-ctx.Done():
			return err
		}
	}
}

// Cordon implements drain.Member: the host has told the others before the view
// says so.
func (n *locator) Cordon(context.Context) error { return nil }

// Withdraw implements drain.Member: the host does it.
func (n *locator) Withdraw(context.Context) error { return nil }

// Activations implements drain.Member.
func (n *locator) Activations() []cluster.Identity {
	var ids []cluster.Identity
	n.host.Retain(func(id cluster.Identity) bool { ids = append(ids, id); return true })
	return ids
}

// Stop implements drain.Member. That the actor ends is waited for by the host.
func (n *locator) Stop(_ context.Context, id cluster.Identity) error {
	n.evict(id)
	return nil
}

// evict has one activation finish what is queued and end.
func (n *locator) evict(id cluster.Identity) {
	n.host.Retain(func(other cluster.Identity) bool { return other != id })
}

package automanaged

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
)

const (
	coalesce    = 20 * time.Millisecond // changes within it make one report
	leaveRounds = 5                     // of gossip, to tell that this node leaves
)

// session is one node's run.
type session struct {
	provider *Provider
	config   Config
	node     cluster.Node
	self     cluster.Member // as announced; of Run's goroutine, as is card
	card     card
	log      *slog.Logger

	roster    *roster
	courier   *courier
	journal   *journal
	transport *transport
	list      *memberlist.Memberlist

	stop  context.CancelFunc // ends the tasks
	tasks sync.WaitGroup
}

// Run implements cluster.Provider. It returns an error if the node cannot
// listen or be announced, and a *JoinError if it listens on no seed and no seed
// lets it in within JoinTimeout.
func (p *Provider) Run(ctx context.Context, node cluster.Node) error {
	changed := node.Changed()
	s := &session{provider: p, config: p.config, node: node, self: node.Self(), log: node.Logger()}
	s.card.Started = time.Now().UnixNano()
	err := s.open(ctx)
	if err == nil {
		tasks, stop := context.WithCancel(ctx)
		s.stop = stop
		s.tasks.Go(func() { s.courier.carry(tasks, s.list) })
		if err = s.enter(ctx); err == nil {
			s.tasks.Go(func() { s.rejoin(tasks) })
			s.watch(ctx, changed)
		}
		s.close()
	}
	if ctx.Err() == nil {
		return err
	}
	return nil
}

// open makes the node's endpoint, alone as yet.
func (s *session) open(ctx context.Context) error {
	if err := errors.Join(s.config.faults()...); err != nil {
		return err
	}
	s.roster = newRoster(s.self.ID)
	s.courier = newCourier(s.roster)
	s.journal = &journal{log: s.log}
	if err := s.write(s.self); err != nil {
		return fmt.Errorf("automanaged: this node cannot be announced: %w", err)
	}
	name := s.node.ClusterName()
	if name == "" || len(name) > memberlist.LabelMaxSize {
		return fmt.Errorf("automanaged: the cluster's name %.40q has %d bytes; choose one of 1 to %d",
			name, len(name), memberlist.LabelMaxSize)
	}
	var err error
	if s.transport, err = s.bind(ctx); err != nil {
		return err
	}
	if s.list, err = memberlist.Create(s.memberlistConfig()); err != nil {
		return errors.Join(fmt.Errorf("automanaged: %w", err), s.transport.Shutdown())
	}
	s.log.Debug("automanaged: listening", "endpoint", s.transport.advertise)
	s.roster.learn(s.self.Kinds)
	if s.leases() {
		s.provider.leases.add(name, s.transport.advertise)
	}
	return nil
}

// leases reports whether others find this node through the provider's list.
func (s *session) leases() bool { return s.provider.lease != nil && !s.node.Client() }

// write makes m this node's card.
func (s *session) write(m cluster.Member) error {
	c, meta, err := newCard(m, s.node.Client(), s.card.Started)
	if err != nil {
		return err
	}
	s.self, s.card = m, c
	s.courier.meta.Store(&meta)
	return nil
}

func (s *session) memberlistConfig() *memberlist.Config {
	c := memberlist.DefaultLANConfig()
	c.Name = s.self.ID
	c.Label, c.SkipInboundLabelCheck = s.node.ClusterName(), true // the transport checks it
	c.Transport, c.Delegate, c.Events = s.transport, s.courier, s.roster
	c.Logger = s.journal.logger()
	c.SecretKey = s.config.SecretKey
	c.ProbeInterval = s.config.ProbeInterval
	c.ProbeTimeout = s.config.ProbeInterval * 2 / 5 // twice, for an indirect probe, is within the interval
	c.SuspicionMult = int((s.config.Suspicion + s.config.ProbeInterval - 1) / s.config.ProbeInterval)
	c.SuspicionMaxTimeoutMult = 2
	c.AwarenessMaxMultiplier = 4 // a node in trouble probes at most four times as slowly
	c.GossipInterval = s.config.GossipInterval
	c.GossipNodes, c.RetransmitMult = 5, 8 // news miss a node once in 10,000 times; memberlist's 3 and 4 once in 100
	c.PushPullInterval = 5 * time.Second   // which repairs that
	c.TCPTimeout = streamTimeout
	c.EnableCompression = false // what is sent is short
	return c
}

// watch announces and reports changes until ctx ends.
func (s *session) watch(ctx context.Context, changed <-chan struct{}) {
	last, again := s.report(nil, true)
	due, soon := after(again), false
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
			changed = s.node.Changed()
			s.announce(s.node.Self())
		case <-s.roster.dirty:
			if !soon {
				due, soon = time.After(coalesce), true
			}
		case <-due:
			last, again = s.report(last, false)
			due, soon = after(again), false
		}
	}
}

// after is time.After, and never for 0.
func after(d time.Duration) <-chan time.Time {
	if d == 0 {
		return nil
	}
	return time.After(d)
}

// announce tells the others that this node is m now.
func (s *session) announce(m cluster.Member) {
	if err := s.write(m); err != nil {
		s.log.Error("automanaged: a change of this node cannot be announced", "error", err)
		return
	}
	_ = s.list.UpdateNode(1) // after 1 ns: gossip takes it on, nobody need wait
	s.roster.learn(m.Kinds)
	s.roster.touch()
}

// report tells the node who the members are, if they are not those of last. It
// returns them, and when to report again whatever happens; 0 is never.
func (s *session) report(last []cluster.Member, first bool) ([]cluster.Member, time.Duration) {
	m := s.roster.muster()
	for _, fault := range m.faults {
		s.log.Warn("automanaged: " + fault.Error())
	}
	members := m.members
	if !s.node.Client() {
		at, _ := slices.BinarySearchFunc(members, s.self.ID, func(m cluster.Member, id string) int { return cmp.Compare(m.ID, id) })
		members = slices.Insert(members, at, s.self)
	}
	if first || !slices.EqualFunc(last, members, same) {
		s.node.Report(slices.Clone(members))
	}
	return members, s.courier.ask(m.asks)
}

func same(a, b cluster.Member) bool {
	return a.ID == b.ID && a.Address == b.Address && a.Status == b.Status && slices.Equal(a.Kinds, b.Kinds)
}

// close leaves the others and ends all that open began. The last to end is a
// probe of memberlist: its Shutdown does not wait for the answer that one may
// be waiting for, and nothing tells when it has given up but the time.
func (s *session) close() {
	s.stop()
	if s.leases() {
		s.provider.leases.drop(s.node.ClusterName(), s.transport.advertise)
	}
	if err := s.list.Leave(leaveRounds * s.config.GossipInterval); err != nil {
		s.log.Debug("automanaged: the others may not know that this node left", "error", err)
	}
	s.journal.close()     // what follows are no faults
	_ = s.list.Shutdown() // never fails
	s.tasks.Wait()
	probe := s.config.ProbeInterval * time.Duration(s.list.GetHealthScore()+1)
	if left := probe - time.Since(s.transport.lastSent()); left > 0 {
		<-time.After(left)
	}
}

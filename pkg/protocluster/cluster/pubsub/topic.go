package pubsub

import (
	"context"
	"sync"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/clusterpb"
)

const (
	// lifetime is how long a topic keeps the subscribers of a node that it
	// does not hear of.
	lifetime = 3 * renewal
	// patience bounds what one virtual actor may hold a topic up.
	patience = time.Second
)

// topic is the virtual actor of a topic.
type topic struct {
	nodes map[string]*nodeSubscribers
}

type nodeSubscribers struct {
	version uint64
	until   time.Time
	all     []subscriber
}

func newTopic() *topic { return &topic{nodes: make(map[string]*nodeSubscribers)} }

// Receive implements actor.Actor.
func (t *topic) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		ctx.SetReceiveTimeout(lifetime)
	case *actor.ReceiveTimeout:
		ctx.Stop(ctx.Self()) // there is neither a subscriber nor a publisher
	case *clusterpb.Subscriptions:
		t.note(m)
		ctx.Respond(&clusterpb.Subscriptions{})
	case *clusterpb.Publication:
		t.publish(ctx, m)
	}
}

func (t *topic) note(m *clusterpb.Subscriptions) {
	known := t.nodes[m.GetNode()]
	if known != nil && known.version > m.GetVersion() {
		return
	}
	s := &nodeSubscribers{version: m.GetVersion(), until: time.Now().Add(lifetime)}
	for _, to := range m.GetSubscribers() {
		s.all = append(s.all, subscriber{to.GetAddress(), to.GetKind(), string(to.GetId())})
	}
	t.nodes[m.GetNode()] = s
}

// publish sends a message to each subscriber once, however many nodes name it.
func (t *topic) publish(ctx actor.Context, m *clusterpb.Publication) {
	c := cluster.FromContext(ctx)
	r := c.Remote()
	if r == nil {
		ctx.Respond(&actor.RejectedError{Reason: actor.ErrStopped})
		return
	}
	message, err := r.Types().Decode(m.GetType(), m.GetPayload())
	if err != nil {
		ctx.Respond(err)
		return
	}
	var virtual sync.WaitGroup
	for to := range t.subscribers() {
		if to.kind == "" {
			ctx.Send(actor.NewPID(to.address, to.id), message)
			continue
		}
		virtual.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			if err := c.Send(ctx, cluster.Identity{Kind: to.kind, Identity: to.id}, message); err != nil {
				c.System().Logger().Warn("pubsub: a subscriber was not reached", "error", err)
			}
		})
	}
	virtual.Wait()
	ctx.Respond(&clusterpb.Publication{})
}

func (t *topic) subscribers() map[subscriber]bool {
	all := make(map[subscriber]bool)
	for node, s := range t.nodes {
		if time.Now().After(s.until) {
			delete(t.nodes, node)
			continue
		}
		for _, to := range s.all {
			all[to] = true
		}
	}
	return all
}

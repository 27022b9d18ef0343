package pubsub

import (
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/clusterpb"
)

const (
	hubName = "pubsub"
	// renewal is how often a node tells its topics of its subscribers again,
	// beside each change of the membership.
	renewal = 5 * time.Second
)

// hub is the actor that knows the subscribers of one node. Topics forget; it
// tells them again.
type hub struct {
	c           *cluster.Cluster
	topics      map[string]*subscribers
	unsubscribe func() // from the system's events
}

// subscribers are those of one topic, and when they last changed.
type subscribers struct {
	version uint64
	all     map[subscriber]*actor.PID // nil for virtual actors
}

// subscription asks the hub for one more or one less.
type subscription struct {
	topic string
	to    subscriber
	watch *actor.PID // whose end is its end; may be nil
	on    bool
}

// renew asks the hub to tell its topics again.
type renew struct{}

// hubOf returns the hub of a node, which the first call starts.
func hubOf(c *cluster.Cluster) *actor.PID {
	props := actor.PropsFromProducer(func() actor.Actor { return &hub{c: c, topics: make(map[string]*subscribers)} })
	if pid, err := c.System().SpawnNamed(props, hubName); err == nil {
		return pid
	}
	return actor.NewPID("", hubName) // it is there, or Ask says that the system has stopped
}

// Receive implements actor.Actor.
func (h *hub) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		self, system := ctx.Self(), ctx.System()
		h.unsubscribe = system.Events().Subscribe(func(event any) {
			switch event.(type) {
			case *cluster.MemberJoined, *cluster.MemberLeft:
				system.Send(self, renew{})
			}
		})
		ctx.SetReceiveTimeout(renewal)
	case *actor.Restarting, *actor.Stopped:
		h.unsubscribe()
	case *subscription:
		h.change(ctx, m)
	case *actor.Terminated:
		for topic, s := range h.topics {
			for to, pid := range s.all {
				if pid.Equal(m.Who) {
					h.change(ctx, &subscription{topic: topic, to: to})
				}
			}
		}
	case renew, *actor.ReceiveTimeout:
		for topic, s := range h.topics {
			h.tell(topic, s)
			if len(s.all) == 0 {
				delete(h.topics, topic)
			}
		}
	}
}

// change notes a subscription and responds once the topic knows.
func (h *hub) change(ctx actor.Context, m *subscription) {
	s := h.topics[m.topic]
	if s == nil {
		s = &subscribers{version: uint64(time.Now().UnixNano()), all: make(map[subscriber]*actor.PID)}
		h.topics[m.topic] = s
	}
	s.version++
	if m.on {
		s.all[m.to] = m.watch
	} else {
		delete(s.all, m.to)
	}
	if m.watch != nil {
		ctx.Watch(m.watch)
	}
	ctx.ReenterAfter(h.tell(m.topic, s), func(_ any, err error) {
		switch {
		case ctx.Sender() == nil:
		case err != nil:
			ctx.Respond(err)
		default:
			ctx.Respond(true)
		}
	})
}

// tell sends a topic the subscribers of this node.
func (h *hub) tell(topic string, s *subscribers) *actor.Future {
	m := &clusterpb.Subscriptions{Node: h.c.System().ID(), Version: s.version}
	for to := range s.all {
		m.Subscribers = append(m.Subscribers, &clusterpb.Subscriber{Address: to.address, Kind: to.kind, Id: []byte(to.id)})
	}
	return h.c.RequestFuture(topicID(topic), m, renewal)
}

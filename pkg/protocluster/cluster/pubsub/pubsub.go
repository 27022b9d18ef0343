package pubsub

import (
	"context"
	"errors"
	"fmt"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/internal/gen/clusterpb"
)

// kindName is the kind of the virtual actors behind topics.
const kindName = "pubsub.topic"

// Kind is what members register to host topics: cluster.WithKinds(pubsub.Kind()).
func Kind() cluster.Kind {
	return cluster.NewKind(kindName, actor.PropsFromProducer(func() actor.Actor { return newTopic() }))
}

// Publish hands message to a topic and returns once that has sent it to all of
// its subscribers; none is no error. Its errors are those of cluster.Request.
func Publish(ctx context.Context, c *cluster.Cluster, topic string, message any) error {
	r := c.Remote()
	if r == nil {
		return cluster.ErrNotJoined
	}
	name, payload, err := r.Types().Encode(message)
	if err != nil {
		return fmt.Errorf("pubsub: publish to %q: %w", topic, err)
	}
	_, err = c.Request(ctx, topicID(topic), &clusterpb.Publication{Type: name, Payload: payload})
	return err
}

// Subscribe has an actor sent what is published to a topic from now on, until
// Unsubscribe or its end. To subscribe twice is to subscribe once.
func Subscribe(ctx context.Context, c *cluster.Cluster, topic string, to *actor.PID) error {
	return change(ctx, c, topic, &subscription{to: toActor(c, to), watch: to, on: true})
}

// Unsubscribe takes Subscribe back, on the same node.
func Unsubscribe(ctx context.Context, c *cluster.Cluster, topic string, to *actor.PID) error {
	return change(ctx, c, topic, &subscription{to: toActor(c, to)})
}

// SubscribeIdentity is Subscribe for a virtual actor, which each message
// activates if need be. The subscription lasts as long as this node.
func SubscribeIdentity(ctx context.Context, c *cluster.Cluster, topic string, id cluster.Identity) error {
	if err := id.Validate(); err != nil {
		return err
	}
	return change(ctx, c, topic, &subscription{to: toIdentity(id), on: true})
}

// UnsubscribeIdentity takes SubscribeIdentity back, on the same node.
func UnsubscribeIdentity(ctx context.Context, c *cluster.Cluster, topic string, id cluster.Identity) error {
	return change(ctx, c, topic, &subscription{to: toIdentity(id)})
}

// change has the node's hub note a subscription, and waits until the topic
// knows of it.
func change(ctx context.Context, c *cluster.Cluster, topic string, s *subscription) error {
	if c.Remote() == nil {
		return cluster.ErrNotJoined
	}
	if s.topic = topic; topic == "" {
		return errors.New("pubsub: the topic has no name; give it one, such as \"news\"")
	}
	_, err := c.System().Ask(ctx, hubOf(c), s)
	return err
}

func topicID(topic string) cluster.Identity { return cluster.Identity{Kind: kindName, Identity: topic} }

// subscriber is a clusterpb.Subscriber that can be compared.
type subscriber struct{ address, kind, id string }

func toActor(c *cluster.Cluster, to *actor.PID) subscriber {
	address := to.Address
	if address == "" || address == "local" {
		address = c.System().Address()
	}
	return subscriber{address: address, id: to.ID}
}

func toIdentity(id cluster.Identity) subscriber { return subscriber{kind: id.Kind, id: id.Identity} }

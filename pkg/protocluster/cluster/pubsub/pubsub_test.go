package pubsub_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/actor"
	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/pubsub"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

// inbox is an actor that keeps what it is sent.
type inbox struct {
	mu  sync.Mutex
	got []any
}

func (i *inbox) receive(ctx actor.Context) {
	if m, ok := ctx.Message().(string); ok {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.got = append(i.got, m)
	}
}

// take returns what came so far, and forgets it.
func (i *inbox) take() []any {
	testkit.Advance(100 * time.Millisecond)
	i.mu.Lock()
	defer i.mu.Unlock()
	got := i.got
	i.got = nil
	return got
}

func (i *inbox) expect(t testing.TB, want ...any) {
	t.Helper()
	if got := i.take(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func subscribe(t testing.TB, n *testkit.Node, topic string) (*inbox, *actor.PID) {
	t.Helper()
	i := new(inbox)
	pid := n.System().Spawn(actor.PropsFromFunc(i.receive))
	if err := pubsub.Subscribe(t.Context(), n.Cluster, topic, pid); err != nil {
		t.Fatalf("Subscribe: %v", err)
	}
	return i, pid
}

func publish(t testing.TB, n *testkit.Node, topic string, message any) {
	t.Helper()
	if err := pubsub.Publish(t.Context(), n.Cluster, topic, message); err != nil {
		t.Fatalf("Publish: %v", err)
	}
}

var hosting = testkit.WithKinds(pubsub.Kind())

func TestPublish_ReachesEverySubscriberOnceInOrder(t *testing.T) {
	testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
		client := c.AddClient()
		publish(t, client, "news", "to nobody")
		var all []*inbox
		for _, n := range c.Nodes() {
			i, _ := subscribe(t, n, "news")
			all = append(all, i)
		}
		other, _ := subscribe(t, c.Node(0), "sports")
		var want []any
		for k := range 20 {
			publish(t, c.Node(1), "news", fmt.Sprint("story ", k))
			want = append(want, fmt.Sprint("story ", k))
		}
		for _, i := range all {
			i.expect(t, want...)
		}
		other.expect(t)
		publish(t, client, "sports", "goal")
		other.expect(t, "goal")
	}, hosting)
}

func TestSubscribe_EndsWithItsActorOrUnsubscribe(t *testing.T) {
	testkit.Run(t, 2, func(t *testing.T, c *testkit.Cluster) {
		one, pid := subscribe(t, c.Node(0), "news")
		other, mortal := subscribe(t, c.Node(1), "news")
		if err := pubsub.Subscribe(t.Context(), c.Node(0).Cluster, "news", pid); err != nil {
			t.Error(err)
		}
		publish(t, c.Node(0), "news", "1")
		one.expect(t, "1")
		other.expect(t, "1")
		if err := pubsub.Unsubscribe(t.Context(), c.Node(0).Cluster, "news", pid); err != nil {
			t.Error(err)
		}
		letters := 0
		for _, n := range c.Nodes() {
			n.System().Events().Subscribe(func(event any) {
				if _, ok := event.(*actor.DeadLetter); ok {
					letters++
				}
			})
		}
		if err := c.Node(1).System().StopAndWait(t.Context(), mortal); err != nil {
			t.Error(err)
		}
		testkit.Advance(time.Second)
		publish(t, c.Node(0), "news", "2")
		one.expect(t)
		other.expect(t)
		testkit.Advance(time.Minute)
		publish(t, c.Node(0), "news", "3")
		one.expect(t)
		if letters != 0 {
			t.Errorf("%d dead letters, want none for a subscriber that has ended", letters)
		}
	}, hosting)
}

func TestSubscribeIdentity(t *testing.T) {
	i := new(inbox)
	reader := cluster.NewKind("reader", actor.PropsFromFunc(i.receive))
	testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
		id := cluster.Identity{Kind: "reader", Identity: "\xff/1"}
		for _, n := range c.Nodes() { // it is sent each message once all the same
			if err := pubsub.SubscribeIdentity(t.Context(), n.Cluster, "news", id); err != nil {
				t.Fatal(err)
			}
		}
		publish(t, c.Node(0), "news", "1")
		i.expect(t, "1")
		if err := c.Node(0).Send(t.Context(), id, &actor.PoisonPill{}); err != nil {
			t.Error(err)
		}
		testkit.Advance(time.Second)
		publish(t, c.Node(0), "news", "2")
		i.expect(t, "2")
		for _, n := range c.Nodes() {
			if err := pubsub.UnsubscribeIdentity(t.Context(), n.Cluster, "news", id); err != nil {
				t.Error(err)
			}
		}
		publish(t, c.Node(0), "news", "3")
		i.expect(t)
	}, hosting, testkit.WithKinds(reader))
}

// Who hosts a topic may crash or leave: its successor knows the subscribers of
// all other nodes as soon as these know of it.
func TestTopic_FailsOver(t *testing.T) {
	for name, end := range map[string]func(*testkit.Cluster, int){
		"leave": (*testkit.Cluster).Leave, "crash": (*testkit.Cluster).Crash, "kill": (*testkit.Cluster).Kill,
	} {
		t.Run(name, func(t *testing.T) {
			testkit.Run(t, 3, func(t *testing.T, c *testkit.Cluster) {
				topic := ""
				for i := 0; topic == ""; i++ {
					id := cluster.Identity{Kind: pubsub.Kind().Name, Identity: fmt.Sprint("topic-", i)}
					if c.NodeOf(c.Node(0), id) == 2 {
						topic = id.Identity
					}
				}
				client := c.AddClient()
				one, _ := subscribe(t, c.Node(0), topic)
				other, _ := subscribe(t, c.Node(1), topic)
				third, _ := subscribe(t, client, topic)
				publish(t, c.Node(0), topic, "before")
				one.expect(t, "before")
				other.expect(t, "before")
				third.expect(t, "before")
				end(c, 2)
				c.AwaitMembers(2)
				testkit.Advance(time.Second)
				publish(t, c.Node(1), topic, "after")
				one.expect(t, "after")
				other.expect(t, "after")
				third.expect(t, "after")
				testkit.Advance(time.Minute)
				publish(t, c.Node(1), topic, "later")
				one.expect(t, "later")
				third.expect(t, "later")
			}, hosting)
		})
	}
}

// Subscribers of a node that fell silent are forgotten.
func TestTopic_ForgetsSilentNodes(t *testing.T) {
	testkit.Run(t, 2, func(t *testing.T, c *testkit.Cluster) {
		one, _ := subscribe(t, c.Node(0), "news")
		subscribe(t, c.Node(1), "news")
		c.Crash(1)
		testkit.Advance(30 * time.Second)
		letters := 0
		c.Node(0).System().Events().Subscribe(func(event any) {
			if _, ok := event.(*actor.DeadLetter); ok {
				letters++
			}
		})
		publish(t, c.Node(0), "news", "1")
		one.expect(t, "1")
		if letters != 0 {
			t.Errorf("%d dead letters, want none for a node that is gone", letters)
		}
	}, hosting)
}

func TestErrors(t *testing.T) {
	testkit.Run(t, 1, func(t *testing.T, c *testkit.Cluster) {
		pid := actor.NewPID("", "somebody")
		if err := pubsub.Publish(t.Context(), c.Node(0).Cluster, "news", struct{ private int }{}); err == nil {
			t.Error("Publish of what cannot be sent succeeded")
		}
		if _, ok := errors.AsType[*cluster.NoHostError](pubsub.Publish(t.Context(), c.Node(0).Cluster, "news", "1")); !ok {
			t.Error("Publish where nobody hosts topics is no NoHostError")
		}
		if err := pubsub.Subscribe(t.Context(), c.Node(0).Cluster, "news", pid); err == nil {
			t.Error("Subscribe where nobody hosts topics succeeded")
		}
		if err := pubsub.Subscribe(t.Context(), c.Node(0).Cluster, "", pid); err == nil {
			t.Error("Subscribe to a topic without a name succeeded")
		}
		if err := pubsub.SubscribeIdentity(t.Context(), c.Node(0).Cluster, "news", cluster.Identity{}); err == nil {
			t.Error("SubscribeIdentity of nobody succeeded")
		}
		n := c.New()
		if err := pubsub.Publish(t.Context(), n.Cluster, "news", "1"); !errors.Is(err, cluster.ErrNotJoined) {
			t.Errorf("Publish before Join = %v, want ErrNotJoined", err)
		}
		if err := pubsub.Subscribe(t.Context(), n.Cluster, "news", pid); !errors.Is(err, cluster.ErrNotJoined) {
			t.Errorf("Subscribe before Join = %v, want ErrNotJoined", err)
		}
	})
}

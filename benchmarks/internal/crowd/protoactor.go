package crowd

import (
	"context"
	"fmt"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/cluster"
	"github.com/asynkron/protoactor-go/cluster/clusterproviders/test"
	"github.com/asynkron/protoactor-go/cluster/identitylookup/disthash"
	"github.com/asynkron/protoactor-go/remote"

	"github.com/protocluster/workshop/benchmarks/internal/peers"
)

// queueSlots is how many messages the queue to another member begins with. By
// default it is a million, 16 MB for each pair: 100 members would not fit.
const queueSlots = 1000

// protoActor is members of protoactor-go, who meet in memory.
type protoActor struct {
	agent *test.InMemAgent

	mu      sync.Mutex
	members []*cluster.Cluster
}

func newProtoActor(members int) (crowd, error) {
	return &protoActor{agent: test.NewInMemAgent()}, allow(members, 1)
}

func (p *protoActor) add(_ context.Context, n int) error {
	var joining sync.WaitGroup
	for range n {
		idler := cluster.NewKind(kind, actor.PropsFromFunc(func(actor.Context) {}))
		m := cluster.New(peers.NewProtoActor(), cluster.Configure("crowd", test.NewTestProvider(p.agent), disthash.New(),
			remote.Configure("127.0.0.1", 0, remote.WithEndpointWriterQueueSize(queueSlots)), cluster.WithKinds(idler)))
		p.mu.Lock()
		p.members = append(p.members, m)
		p.mu.Unlock()
		joining.Go(m.StartMember)
	}
	joining.Wait()
	return nil
}

func (p *protoActor) agreed(members int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.members {
		if m.MemberList.Length() != members {
			return false
		}
	}
	return len(p.members) == members
}

func (p *protoActor) activate(_ context.Context, identity string) error {
	if p.members[0].Get(identity, kind) == nil {
		return fmt.Errorf("crowd: %s was not activated", identity)
	}
	return nil
}

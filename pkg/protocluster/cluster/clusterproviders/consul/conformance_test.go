package consul_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/consul"
	"github.com/protocluster/workshop/pkg/protocluster/remote"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

func TestViewStore_Fake(t *testing.T) {
	for _, latency := range []time.Duration{0, 5 * time.Millisecond} {
		t.Run(fmt.Sprint("latency ", latency), func(t *testing.T) {
			testkit.TestViewStore(t, func(t testing.TB) testkit.ViewStoreSetup {
				t.Helper()
				network := testkit.NewNetwork()
				network.Shape(testkit.Link{Latency: latency})
				fake := serve(t, network)
				links := links(func(node int) remote.Network { return network.Host(fmt.Sprint("node-", node)) })
				return testkit.ViewStoreSetup{
					Store:      func(int) cluster.ViewStore { return consul.New(consul.WithAddress("consul:8500")) },
					Network:    func(node int) remote.Network { return links(node) },
					Overwrite:  func(data []byte) { fake.SetValue(viewKey, data) },
					Cut:        func(node int) { links(node).Cut() },
					Heal:       func(node int) { links(node).Heal() },
					LoseAnswer: func(node int) { links(node).LoseAnswer() },
					Settle:     100 * time.Millisecond,
					Linger:     15 * time.Second,
					Expiry:     31 * time.Second,
				}
			})
		})
	}
}

package test_test

import (
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/test"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

func TestProvider(t *testing.T) {
	testkit.TestProvider(t, func(testing.TB) testkit.ProviderSetup {
		agent := test.NewInMemAgent()
		return testkit.ProviderSetup{
			Provider: func(int) cluster.Provider { return test.NewTestProvider(agent, test.WithTTL(3*time.Second)) },
			Cut:      func(m cluster.Member) { agent.Cut(m.ID) },
			Restore:  func(m cluster.Member) { agent.Restore(m.ID) },
			Settle:   100 * time.Millisecond,
			Expiry:   4 * time.Second,
		}
	})
}

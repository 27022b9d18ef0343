package automanaged_test

import (
	"testing"
	"time"

	"github.com/protocluster/workshop/pkg/protocluster/cluster"
	"github.com/protocluster/workshop/pkg/protocluster/cluster/clusterproviders/automanaged"
	"github.com/protocluster/workshop/pkg/protocluster/testkit"
)

func TestConformance(t *testing.T) {
	testkit.TestProvider(t, func(testing.TB) testkit.ProviderSetup {
		return testkit.ProviderSetup{
			Provider: func(int) cluster.Provider { return automanaged.New(seed(1)) },
			Settle:   500 * time.Millisecond,
			Expiry:   3 * time.Second,
		}
	})
}
